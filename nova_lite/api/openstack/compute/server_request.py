"""From the body of POST /servers to a ServerRequest. Pure: the body is proven, nothing is looked up."""

from __future__ import annotations

import ipaddress
import urllib.parse
from typing import Any

from oslo_utils import strutils, uuidutils

from nova_lite import exception
from nova_lite.api.openstack.microversions import DESCRIPTIONS, MULTIATTACH, Microversion
from nova_lite.objects import BlockDevice, NetworkRequest, ServerRequest

Body = dict[str, Any]

# Nova's quota of injected files. Files are not injected, as Nova's own default is for most guests; from 2.57 they are
# no longer accepted at all.
_MAX_FILES, _MAX_PATH, _MAX_CONTENT = 5, 255, 10240


def flavor_id(reference: str) -> str:
    """The id of a flavor named by its id or, as old clients do, by any URL of it."""
    return urllib.parse.urlsplit(reference).path.rsplit("/", 1)[-1]


def server_request(body: Body, version: Microversion) -> ServerRequest:
    """What the body asks for.

    :raises Invalid: parts that do not fit together.
    """
    server = body["server"]
    check_files(server.get("personality", ()))
    minimum, maximum = counts(server)
    networks, no_network = requested_networks(server.get("networks"))
    name = server["name"].strip()
    return ServerRequest(
        name=name,
        # Before descriptions could be given they were the name.
        description=server.get("description") if version >= DESCRIPTIONS else name,
        flavor_ref=flavor_id(str(server["flavorRef"])),
        image_ref=server.get("imageRef", ""),
        min_count=minimum,
        max_count=maximum,
        hostname=server.get("hostname"),
        key_name=_stripped(server.get("key_name")),
        admin_password=server.get("adminPass"),
        metadata=dict(server.get("metadata", {})),
        tags=tuple(dict.fromkeys(server.get("tags", ()))),
        networks=networks,
        no_network=no_network,
        security_groups=tuple(dict.fromkeys(group["name"] for group in server.get("security_groups", ()) if group)),
        block_devices=block_devices(server),
        multiattach=version >= MULTIATTACH,
        availability_zone=_stripped(server.get("availability_zone")),
        host=server.get("host"),
        node=server.get("hypervisor_hostname"),
        user_data=server.get("user_data"),
        config_drive=_boolean(server.get("config_drive")),
        auto_disk_config=_disk_config(server),
        access_ip_v4=address_of(server.get("accessIPv4")),
        access_ip_v6=address_of(server.get("accessIPv6")),
        scheduler_hints=scheduler_hints(body),
        trusted_certs=_tuple(server.get("trusted_image_certificates")),
        return_reservation_id=bool(_boolean(server.get("return_reservation_id"))),
    )


def counts(server: Body) -> tuple[int, int]:
    """How many servers at least and at most.

    :raises Invalid: more at least than at most.
    """
    minimum = int(server.get("min_count", 1))
    maximum = int(server.get("max_count", minimum))
    if minimum > maximum:
        raise exception.Invalid("min_count must be <= max_count")
    return minimum, maximum


def scheduler_hints(body: Body) -> dict[str, Any]:
    """The hints beside ``server``, less those that begin with an underscore: these are the scheduler's own words."""
    hints = body.get("os:scheduler_hints") or body.get("OS-SCH-HNT:scheduler_hints") or {}
    return {name: hint for name, hint in hints.items() if not name.startswith("_")}


def requested_networks(wanted: Any) -> tuple[tuple[NetworkRequest, ...] | None, bool]:
    """The networks, None when not said, and whether none at all is wanted.

    :raises Invalid: an item that names no network and no port, or a port with an address.
    """
    if wanted is None:
        return None, False
    if wanted == "none":
        return None, True
    if wanted == "auto":
        return (NetworkRequest(auto=True),), False
    requests = tuple(_network(item) for item in wanted)
    named = [request.network_id or request.port_id for request in requests if request.port_id]
    if len(set(named)) != len(named):
        raise exception.Invalid("Duplicate ports in the request")
    return requests or None, False


def _network(item: Body) -> NetworkRequest:
    port, network, address = item.get("port"), item.get("uuid"), item.get("fixed_ip")
    if port:
        if address:
            raise exception.Invalid(
                f"Specified Fixed IP '{address}' cannot be used with port '{port}': "
                "the two cannot be specified together."
            )
        network = None
    elif not uuidutils.is_uuid_like(network):
        raise exception.Invalid(f"Bad networks format: network uuid is not in proper format ({network})")
    return NetworkRequest(network_id=network, port_id=port or None, fixed_ip=address, tag=item.get("tag"))


def block_devices(server: Body) -> tuple[BlockDevice, ...]:
    """The block devices of either syntax.

    :raises Invalid: both syntaxes, or a device that says too little or too much.
    """
    image_ref = server.get("imageRef") or ""
    legacy, newer = server.get("block_device_mapping") or [], server.get("block_device_mapping_v2") or []
    if legacy and newer:
        raise exception.Invalid("Using different block_device_mapping syntaxes is not allowed in the same request.")
    if legacy:
        return _legacy_root(tuple(_legacy_device(item) for item in legacy if not item.get("no_device")), image_ref)
    devices = tuple(_device(item, bool(image_ref)) for item in newer if not item.get("no_device"))
    if sum(device.boot_index == 0 for device in devices) > 1:
        raise exception.Invalid(
            "Block Device Mapping is Invalid: Boot sequence for the instance and image/block device mapping "
            "combination is not valid."
        )
    return devices


def _legacy_device(item: Body) -> BlockDevice:
    volume, snapshot = item.get("volume_id"), item.get("snapshot_id")
    if volume is None and snapshot is None:
        raise exception.Invalid("Block Device Mapping is Invalid.")
    return BlockDevice(
        source_type="volume" if volume else "snapshot",
        destination_type="volume",
        boot_index=None,
        uuid=volume or snapshot,
        volume_id=volume,
        volume_size=_integer(item.get("volume_size")),
        device_name=item.get("device_name"),
        delete_on_termination=bool(_boolean(item.get("delete_on_termination"))),
    )


def _legacy_root(devices: tuple[BlockDevice, ...], image_ref: str) -> tuple[BlockDevice, ...]:
    """The older syntax knows no boot order: the image boots, or the device named as the root, or else the first."""
    named = [index for index, device in enumerate(devices) if (device.device_name or "").removeprefix("/dev/") == "vda"]
    if not named and image_ref:
        image = BlockDevice("image", "local", boot_index=0, uuid=image_ref, delete_on_termination=True)
        return (image, *devices)
    root = named[0] if named else 0
    return tuple(device.replace(boot_index=0 if index == root else None) for index, device in enumerate(devices))


def _device(item: Body, has_image: bool) -> BlockDevice:
    source = item.get("source_type") or _implied_source(item)
    uuid = item.get("uuid") or item.get(f"{source}_id")
    if source != "blank" and not uuid:
        raise exception.Invalid("Block Device Mapping is Invalid: Missing device UUID.")
    if source == "blank" and uuid:
        raise exception.Invalid("Block Device Mapping is Invalid: Invalid device UUID.")
    destination = item.get("destination_type") or ("volume" if source in ("volume", "snapshot") else "local")
    boot_index = _integer(item.get("boot_index"))
    if destination == "local" and source != "blank" and not (source == "image" and has_image and boot_index == 0):
        raise exception.InvalidBlockDevice(details=f"Mapping {source} to local is not supported.")
    return BlockDevice(
        source_type=source,
        destination_type=destination,
        boot_index=None if boot_index is not None and boot_index < 0 else boot_index,
        uuid=uuid,
        volume_id=uuid if source == "volume" else None,
        volume_size=_integer(item.get("volume_size")),
        device_name=item.get("device_name"),
        device_type=item.get("device_type"),
        disk_bus=item.get("disk_bus"),
        guest_format=item.get("guest_format"),
        delete_on_termination=bool(_boolean(item.get("delete_on_termination"))),
        tag=item.get("tag"),
        volume_type=item.get("volume_type"),
    )


def _implied_source(item: Body) -> str:
    for source in ("volume", "snapshot", "image"):
        if item.get(f"{source}_id"):
            return source
    raise exception.Invalid("Block Device Mapping is Invalid: Invalid source_type field.")


def check_files(files: Any) -> None:
    """
    :raises Forbidden: more or larger files than Nova's quota allows
    """
    if len(files) > _MAX_FILES:
        raise exception.Forbidden("Personality file limit exceeded")
    for file in files:
        if len(file.get("path", "")) > _MAX_PATH:
            raise exception.Forbidden("Personality file path exceeds maximum length 255")
        if len(file.get("contents", "")) * 3 // 4 > _MAX_CONTENT:
            raise exception.Forbidden("Personality file content exceeds maximum length 10240")


def _disk_config(server: Body) -> bool | None:
    word = server.get("OS-DCF:diskConfig")
    return None if word is None else word == "AUTO"


def _stripped(name: str | None) -> str | None:
    return None if name is None else name.strip()


def _boolean(value: Any) -> bool | None:
    return None if value is None else strutils.bool_from_string(value, strict=True)


def _integer(value: Any) -> int | None:
    return None if value is None else int(value)


def _tuple(values: Any) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)


def address_of(text: str | None) -> str | None:
    """An address in its usual form, as Nova shows it, whatever zeros the client wrote; None where there is none."""
    return str(ipaddress.ip_address(text)) if text else None
