"""The nouns that travel: frozen, typed, without I/O."""

from nova_lite.objects.aggregate import Aggregate
from nova_lite.objects.block_device import BlockDevice
from nova_lite.objects.console import ConsoleAddress, ConsoleToken, ConsoleType
from nova_lite.objects.diagnostics import CpuDiagnostics, Diagnostics, DiskDiagnostics, NicDiagnostics
from nova_lite.objects.external_event import ExternalEvent
from nova_lite.objects.flavor import Flavor
from nova_lite.objects.host import Allocation, ComputeNode, HostIdentity, Service
from nova_lite.objects.image import ImageMeta
from nova_lite.objects.instance import CreatedServer, Fault, Instance, ServerName
from nova_lite.objects.keypair import KeyPair
from nova_lite.objects.migration import Migration, MigrationStatus, MigrationType, MigrationWish
from nova_lite.objects.network import FixedIP, NetworkRequest, Port, Subnet, Vif
from nova_lite.objects.operation import OPEN_STATES, Operation, OperationEvent, OperationState
from nova_lite.objects.scheduling import Diagnosis, Placement, RequestSpec, Selection, Verdict
from nova_lite.objects.server_group import GroupPolicy, GroupRule, ServerGroup
from nova_lite.objects.server_request import Page, ServerRequest, ServerSearch
from nova_lite.objects.survey import Presence, Survey

__all__ = [
    "OPEN_STATES",
    "Aggregate",
    "Allocation",
    "BlockDevice",
    "ComputeNode",
    "ConsoleAddress",
    "ConsoleToken",
    "ConsoleType",
    "CpuDiagnostics",
    "CreatedServer",
    "Diagnosis",
    "Diagnostics",
    "DiskDiagnostics",
    "ExternalEvent",
    "Fault",
    "FixedIP",
    "Flavor",
    "GroupPolicy",
    "GroupRule",
    "HostIdentity",
    "ImageMeta",
    "Instance",
    "KeyPair",
    "Migration",
    "MigrationStatus",
    "MigrationType",
    "MigrationWish",
    "NetworkRequest",
    "NicDiagnostics",
    "Operation",
    "OperationEvent",
    "OperationState",
    "Page",
    "Placement",
    "Port",
    "Presence",
    "RequestSpec",
    "Selection",
    "ServerGroup",
    "ServerName",
    "ServerRequest",
    "ServerSearch",
    "Service",
    "Subnet",
    "Survey",
    "Verdict",
    "Vif",
]
