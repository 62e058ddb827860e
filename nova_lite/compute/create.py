"""From a ServerRequest to the servers it asks for: everything looked up, judged and filled in; nothing written yet.

The checks run in Nova's order: flavor, image, key, sizes, networks, zone; each refusal has the contract's sentence.
"""

from __future__ import annotations

import re
import unicodedata
import uuid
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from nova_lite import exception
from nova_lite.compute import block_devices
from nova_lite.compute.block_devices import Disks
from nova_lite.compute.task_states import TaskState
from nova_lite.compute.vm_states import VmState
from nova_lite.context import RequestContext
from nova_lite.network.api import Requests, Wanted
from nova_lite.objects import (
    BlockDevice,
    Flavor,
    ImageMeta,
    Instance,
    KeyPair,
    NetworkRequest,
    ServerGroup,
    ServerRequest,
)

GIB = 1024**3

# Servers of one request where no quota says less: they are made in memory and written in one transaction.
MAX_SERVERS = 1000


class Lookups(block_devices.Lookups, Protocol):
    """Where the API looks things up; each method raises the noun's NotFound."""

    def flavor(self, ctxt: RequestContext, flavor_ref: str) -> Flavor: ...

    def keypair(self, ctxt: RequestContext, name: str) -> KeyPair: ...

    def has_zone(self, name: str) -> bool: ...

    def server_group(self, ctxt: RequestContext, uuid: str) -> ServerGroup: ...

    def networks(
        self, ctxt: RequestContext, requests: Requests, groups: tuple[str, ...], count: int
    ) -> Wanted: ...

    def room(self, ctxt: RequestContext, flavor: Flavor, fewest: int, most: int) -> int: ...


@dataclass(frozen=True)
class Build:
    """One server to be and the arguments of its create operation."""

    instance: Instance
    args: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Destination:
    """A parsed ``availability_zone``: ``zone``, ``zone:host`` or ``zone:host:node``."""

    zone: str | None = None
    host: str | None = None
    node: str | None = None


def prepare(ctxt: RequestContext, request: ServerRequest, lookups: Lookups, default_zone: str | None) -> list[Build]:
    """The servers of one request, in launch order.

    :raises FlavorNotFound, ImageNotFound, KeypairNotFound, NetworkNotFound: what the body names is not there.
    :raises ServerGroupNotFound: so is the group of its hints.
    :raises Invalid: what it names does not fit together.
    :raises OverQuota: not even ``min_count`` servers fit; as many as do fit are made of ``max_count``, as Nova does.
    """
    flavor = lookups.flavor(ctxt, request.flavor_ref)
    disks = block_devices.plan(ctxt, request, flavor, lookups)
    key = lookups.keypair(ctxt, request.key_name) if request.key_name else None
    check_sizes(flavor, disks.image, disks.root)
    network = lookups.networks(ctxt, wanted_networks(request), request.security_groups, request.min_count)
    destination = parse_zone(request)
    if destination.zone and not lookups.has_zone(destination.zone):
        raise exception.Invalid("The requested availability zone is not available")
    zone = destination.zone or default_zone
    group = _group(ctxt, request, lookups)
    args = {
        "networks": [vars(each) for each in network.requests],
        "security_groups": list(network.group_ids),
        "force_host": destination.host,
        "force_node": destination.node,
        "ignore_hosts": [],
        "builds": 0,
    }
    count = lookups.room(ctxt, flavor, request.min_count, request.max_count)
    if count > MAX_SERVERS:
        raise exception.Invalid(f"max_count must be <= {MAX_SERVERS}")
    request = replace(request, min_count=count, max_count=count)
    reservation_id = f"r-{uuid.uuid4().hex[:8]}"
    return [
        Build(_instance(ctxt, request, flavor, disks, key, zone, group, reservation_id, index), dict(args))
        for index in range(count)
    ]


def _group(ctxt: RequestContext, request: ServerRequest, lookups: Lookups) -> str | None:
    """The group that the hint names; it is the server's for as long as both live."""
    hint = request.scheduler_hints.get("group")
    return lookups.server_group(ctxt, hint).uuid if isinstance(hint, str) else None


def check_sizes(flavor: Flavor, image: ImageMeta, root: BlockDevice | None = None) -> None:
    """An image must be ready and fit into the flavor (flavor disk 0 means "as large as the image"), or into ``root``.

    :raises Invalid: it is not ready or does not fit.
    """
    if image.status != "active":
        raise exception.Invalid(f"Image {image.id} is not active.")
    if flavor.memory_mb < image.min_ram:
        raise exception.Invalid("Flavor's memory is too small for requested image.")
    if root is not None:
        _check_volume(image, root)
        return
    if flavor.root_gb == 0:
        return
    available = flavor.root_gb * GIB
    size = max(image.size or 0, image.virtual_size or 0)
    if size > available:
        raise exception.Invalid(
            "Flavor's disk is too small for requested image. "
            f"Flavor disk is {available} bytes, image is {size} bytes."
        )
    if image.min_disk > flavor.root_gb:
        raise exception.Invalid(
            "Flavor's disk is smaller than the minimum size specified in image metadata. "
            f"Flavor disk is {available} bytes, minimum size is {image.min_disk * GIB} bytes."
        )


def _check_volume(image: ImageMeta, root: BlockDevice) -> None:
    if image.min_disk > (root.volume_size or 0):
        raise exception.Invalid(
            "Volume is smaller than the minimum size specified in image metadata. "
            f"Volume size is {(root.volume_size or 0) * GIB} bytes, minimum size is {image.min_disk * GIB} bytes."
        )


def wanted_networks(request: ServerRequest) -> tuple[NetworkRequest, ...]:
    """What the server shall be plugged into; not said means the one network there is, if there is one."""
    if request.no_network:
        return ()
    if not request.networks:
        return (NetworkRequest(),)
    return request.networks


def parse_zone(request: ServerRequest) -> Destination:
    """Split ``zone:host:node``; the fields of 2.74 name host and node by themselves.

    :raises Invalid: more parts than three, or an empty host.
    """
    zone, host, node = request.availability_zone, None, None
    if zone and ":" in zone:
        parts = zone.split(":")
        if len(parts) > 3:
            raise exception.Invalid("Unable to parse availability_zone")
        zone, host = parts[0] or None, parts[1] or None
        node = parts[2] or None if len(parts) == 3 else None
    return Destination(zone, host or request.host, node or request.node)


def hostname_of(name: str, fallback: str) -> str:
    """A host name made of a display name: RFC 952 letters, digits and hyphens, at most 63."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[ _.]", "-", plain)
    plain = re.sub(r"[^A-Za-z0-9-]+", "", plain).lower().strip("-")[:63].strip("-")
    return plain or fallback


def _auto_disk_config(request: ServerRequest, image: ImageMeta) -> bool:
    """What the request says, else what the image says."""
    if request.auto_disk_config is not None:
        return request.auto_disk_config
    return image.properties.get("auto_disk_config", "").lower() in ("true", "1", "yes")


def _numbered(request: ServerRequest, name: str, index: int) -> str:
    """Of several servers of one request, each has its number."""
    return f"{name}-{index + 1}" if request.max_count > 1 else name


def _instance(
    ctxt: RequestContext,
    request: ServerRequest,
    flavor: Flavor,
    disks: Disks,
    key: KeyPair | None,
    zone: str | None,
    group: str | None,
    reservation_id: str,
    index: int,
) -> Instance:
    instance_uuid = str(uuid.uuid4())
    image = disks.image
    name = _numbered(request, request.name, index)
    hostname = _numbered(request, request.hostname, index) if request.hostname else ""
    return Instance(
        uuid=instance_uuid,
        project_id=ctxt.project_id or "",
        user_id=ctxt.user_id or "",
        display_name=name,
        display_description=request.description,
        hostname=hostname or hostname_of(name, f"server-{instance_uuid}"),
        vm_state=VmState.BUILDING,
        task_state=TaskState.SCHEDULING,
        flavor=flavor,
        image_ref=disks.image_ref,
        image=image,
        kernel_id=image.properties.get("kernel_id", ""),
        ramdisk_id=image.properties.get("ramdisk_id", ""),
        key_name=key.name if key else None,
        key_data=key.public_key if key else None,
        user_data=request.user_data,
        config_drive=bool(request.config_drive),
        auto_disk_config=_auto_disk_config(request, image),
        access_ip_v4=request.access_ip_v4,
        access_ip_v6=request.access_ip_v6,
        availability_zone=zone,
        pinned_availability_zone=zone,
        root_device_name=disks.root_device_name,
        launch_index=index,
        reservation_id=reservation_id,
        metadata=dict(request.metadata),
        tags=tuple(sorted(set(request.tags))),
        scheduler_hints={name: hint for name, hint in request.scheduler_hints.items() if not name.startswith("_")},
        security_groups=request.security_groups or ("default",),
        block_devices=tuple(device.replace(bdm_uuid=str(uuid.uuid4())) for device in disks.devices),
        trusted_certs=request.trusted_certs,
        server_group=group,
    )
