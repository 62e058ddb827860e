"""The tables, by domain."""

from nova_lite.db.models.aggregates import Aggregate, AggregateHost
from nova_lite.db.models.base import Base
from nova_lite.db.models.consoles import ConsoleToken
from nova_lite.db.models.flavors import Flavor, FlavorProject
from nova_lite.db.models.hosts import Allocation, CloudIdentity, ComputeNode, Service
from nova_lite.db.models.idempotency import IdempotencyKey
from nova_lite.db.models.instances import Instance, InstanceFault, Tag
from nova_lite.db.models.keypairs import KeyPair
from nova_lite.db.models.migrations import Migration
from nova_lite.db.models.operations import Operation, OperationEvent
from nova_lite.db.models.provisional_images import ProvisionalImage
from nova_lite.db.models.provisional_volumes import ProvisionalVolume
from nova_lite.db.models.quotas import Quota, QuotaClass, QuotaUsage, UserQuota
from nova_lite.db.models.server_groups import ServerGroup

__all__ = [
    "Aggregate",
    "AggregateHost",
    "Allocation",
    "Base",
    "CloudIdentity",
    "ComputeNode",
    "ConsoleToken",
    "Flavor",
    "FlavorProject",
    "IdempotencyKey",
    "Instance",
    "InstanceFault",
    "KeyPair",
    "Migration",
    "Operation",
    "OperationEvent",
    "ProvisionalImage",
    "ProvisionalVolume",
    "Quota",
    "QuotaClass",
    "QuotaUsage",
    "ServerGroup",
    "Service",
    "Tag",
    "UserQuota",
]
