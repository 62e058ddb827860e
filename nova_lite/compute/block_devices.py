"""From the block devices of a create body to those of the server: judged, completed, named; nothing made yet.

Nova's rules and sentences: one boot sequence from 0, sizes within the flavor's, sources that exist.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from nova_lite import exception
from nova_lite.compute import device_names
from nova_lite.context import RequestContext
from nova_lite.objects import BlockDevice, Flavor, ImageMeta, ServerRequest
from nova_lite.volume.meta import Snapshot, Volume

# Local disks that one server may have, as Nova's [DEFAULT] max_local_block_devices.
MAX_LOCAL_DEVICES = 3
BUSES = ("virtio", "scsi", "ide", "sata", "usb", "xen", "uml", "lxc", "fdc")
# Of a volume's image metadata, what is no property.
_IMAGE_FACTS = ("image_id", "image_name", "checksum", "size", "container_format", "disk_format", "min_disk", "min_ram")


class Lookups(Protocol):
    """Where sources of devices are looked up; each method raises the noun's NotFound, or Unavailable."""

    def image(self, ctxt: RequestContext, image_ref: str) -> ImageMeta: ...

    def volume(self, ctxt: RequestContext, volume_id: str) -> Volume: ...

    def snapshot(self, ctxt: RequestContext, snapshot_id: str) -> Snapshot: ...

    def has_volume_type(self, ctxt: RequestContext, name: str) -> bool: ...


@dataclass(frozen=True)
class Disks:
    """What a server boots from and what else it has. ``image_ref`` is empty for a root disk that is a volume."""

    image: ImageMeta
    image_ref: str
    root_device_name: str
    devices: tuple[BlockDevice, ...] = ()
    root: BlockDevice | None = None


def plan(ctxt: RequestContext, request: ServerRequest, flavor: Flavor, lookups: Lookups) -> Disks:
    """The disks of the request.

    :raises ImageNotFound: the image is not there. :raises Invalid: everything else that cannot be.
    """
    image = lookups.image(ctxt, request.image_ref) if request.image_ref else None
    devices = merged(of_image(image) if image else (), request.block_devices)
    if not devices:
        if image is None:
            raise exception.Invalid("Invalid imageRef provided.")
        return Disks(image, image.id, device_names.of_root(image.properties))
    check_shape(devices, flavor)
    devices = tuple(_completed(ctxt, device, request, lookups) for device in devices)
    check_types(ctxt, devices, lookups)
    (root,) = (device for device in devices if device.is_root)
    found = _boot_image(ctxt, root, image, lookups)
    root_name = device_names.of_root(found.properties, root.device_name)
    # A local root disk needs no row: it is what every server has.
    kept = tuple(device for device in devices if device.is_volume or not device.is_root)
    named = device_names.assign(kept, root_name, flavor)
    return Disks(found, "" if root.is_volume else found.id, root_name, named, root if root.is_volume else None)


# -- what the request says ------------------------------------------------------------------------


def of_image(image: ImageMeta) -> tuple[BlockDevice, ...]:
    """The devices that an image brings along: the snapshot of a server that had volumes.

    :raises InvalidBlockDevice: what the image says of them cannot be read.
    """
    text = image.properties.get("block_device_mapping")
    if not text:
        return ()
    try:
        rows = [row for row in json.loads(text) if not row.get("no_device")]
        return tuple(_of_image_row(row) for row in rows)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise exception.InvalidBlockDevice(details="the image's block_device_mapping is unreadable.") from error


def _of_image_row(row: dict[str, object]) -> BlockDevice:
    source, size, index = str(row["source_type"]), row.get("volume_size"), row.get("boot_index")
    wanted = row.get("snapshot_id") or row.get("volume_id") or row.get("image_id")
    return BlockDevice(
        source_type=source,
        destination_type=str(row.get("destination_type") or "volume"),
        boot_index=int(str(index)) if index is not None and int(str(index)) >= 0 else None,
        uuid=str(wanted) if wanted else None,
        volume_id=str(row["volume_id"]) if source == "volume" else None,
        volume_size=int(str(size)) if size is not None else None,
        device_name=str(row["device_name"]) if row.get("device_name") else None,
        device_type=str(row["device_type"]) if row.get("device_type") else None,
        disk_bus=str(row["disk_bus"]) if row.get("disk_bus") else None,
        guest_format=str(row["guest_format"]) if row.get("guest_format") else None,
        delete_on_termination=bool(row.get("delete_on_termination")),
        volume_type=str(row["volume_type"]) if row.get("volume_type") else None,
    )


def merged(of_the_image: tuple[BlockDevice, ...], asked: tuple[BlockDevice, ...]) -> tuple[BlockDevice, ...]:
    """The image's devices, less those whose name the request gives to another; its root replaces the plain image."""
    if any(device.is_root for device in of_the_image):
        asked = tuple(device for device in asked if not (device.is_root and device.source_type == "image"))
    names = {device_names.full(device.device_name) for device in asked if device.device_name}
    kept = (
        device
        for device in of_the_image
        if not device.device_name or device_names.full(device.device_name) not in names
    )
    return (*kept, *asked)


# -- what can be --------------------------------------------------------------------------------


def check_shape(devices: Iterable[BlockDevice], flavor: Flavor) -> None:
    """What can be judged without asking anybody. :raises Invalid: with Nova's sentence."""
    devices = tuple(devices)
    indexes = sorted(device.boot_index for device in devices if device.boot_index is not None)
    if not indexes or indexes != list(range(len(indexes))):
        raise exception.InvalidBlockDevice(
            details="Boot sequence for the instance and image/block device mapping combination is not valid."
        )
    volume_ids = [device.volume_id for device in devices if device.volume_id is not None]
    twice = next((each for each in volume_ids if volume_ids.count(each) > 1), None)
    if twice is not None:  # the volume service lets a server have it twice, and its guest would spoil it
        raise exception.InvalidBlockDevice(details=f"volume {twice} is given more than once.")
    _check_names(devices)
    for device in devices:
        _check_size(device)
        if device.disk_bus is not None and device.disk_bus not in BUSES:
            raise exception.InvalidBlockDevice(details=f"The disk_bus {device.disk_bus} is not valid")
        if device.volume_type is not None:
            _check_type(device)
    _check_local(devices, flavor)


def _check_names(devices: tuple[BlockDevice, ...]) -> None:
    """What a guest finds its disks by is given once."""
    names = [device_names.full(device.device_name) for device in devices if device.device_name]
    tags = [device.tag for device in devices if device.tag]
    for what, given in (("device name", names), ("tag", tags)):
        twice = next((each for each in given if given.count(each) > 1), None)
        if twice is not None:
            raise exception.InvalidBlockDevice(details=f"The {what} {twice} is given more than once.")


def _check_size(device: BlockDevice) -> None:
    if not device.is_volume or device.volume_size:
        return
    if device.source_type == "image":
        raise exception.Invalid("Images with destination_type 'volume' need to have a non-zero size specified")
    if device.source_type == "blank":
        raise exception.Invalid("Blank volumes (source: 'blank', dest: 'volume') need to have non-zero size")


def _check_type(device: BlockDevice) -> None:
    if not device.is_volume:
        raise exception.InvalidBlockDevice(
            details="Specifying a volume_type with destination_type=local is not supported."
        )
    if device.source_type == "volume":
        raise exception.InvalidBlockDevice(details="Specifying volume type to existing volume is not supported.")


def _check_local(devices: tuple[BlockDevice, ...], flavor: Flavor) -> None:
    """Ephemeral disks and swap are parts of the flavor's (GiB and MiB); a swap's size is given in MiB."""
    ephemeral = sum(device.volume_size or flavor.ephemeral_gb for device in devices if device.is_ephemeral)
    if ephemeral > flavor.ephemeral_gb:
        raise exception.Invalid(
            "Ephemeral disks requested are larger than the instance type allows. If no size is given in one block "
            "device mapping, flavor ephemeral size will be used."
        )
    swaps = [device for device in devices if device.is_swap]
    if len(swaps) > 1:
        raise exception.InvalidBlockDevice(details="More than one swap drive requested.")
    if any((device.volume_size or 0) > flavor.swap_mb for device in swaps):
        raise exception.Invalid("Swap drive requested is larger than instance type allows.")
    if sum(not device.is_volume for device in devices) > MAX_LOCAL_DEVICES:
        raise exception.InvalidBlockDevice(details="You specified more local devices than the limit allows")


def check_types(ctxt: RequestContext, devices: Iterable[BlockDevice], lookups: Lookups) -> None:
    """:raises Invalid: a volume type that the volume service has not got."""
    for name in dict.fromkeys(device.volume_type for device in devices if device.volume_type):
        if not lookups.has_volume_type(ctxt, name):
            raise exception.Invalid(f"Volume type {name} could not be found.")


# -- what the sources say -------------------------------------------------------------------------


def _completed(ctxt: RequestContext, device: BlockDevice, request: ServerRequest, lookups: Lookups) -> BlockDevice:
    """The device with what its source says. :raises Invalid: the source is not there or does not fit."""
    if device.source_type == "volume":
        return _of_volume(ctxt, device, request, lookups)
    if device.source_type == "snapshot":
        try:
            snapshot = lookups.snapshot(ctxt, str(device.uuid))
        except exception.NotFound as error:
            raise exception.InvalidBlockDevice(details=f"failed to get snapshot {device.uuid}.") from error
        return device.replace(volume_size=device.volume_size or snapshot.size)
    return device


def _of_volume(ctxt: RequestContext, device: BlockDevice, request: ServerRequest, lookups: Lookups) -> BlockDevice:
    try:
        volume = lookups.volume(ctxt, str(device.volume_id))
    except exception.NotFound as error:
        raise exception.InvalidBlockDevice(details=f"failed to get volume {device.volume_id}.") from error
    if volume.multiattach and not request.multiattach:
        raise exception.MultiattachTooEarly()
    if request.max_count > 1 and not volume.multiattach:
        raise exception.Invalid("Cannot attach one or more volumes to multiple instances")
    return device.replace(volume_size=volume.size, multiattach=volume.multiattach)


def _boot_image(ctxt: RequestContext, root: BlockDevice, image: ImageMeta | None, lookups: Lookups) -> ImageMeta:
    """What the root disk's content says of itself: an image, or what a volume remembers of one.

    :raises Invalid: the root disk cannot be booted from.
    """
    if root.source_type == "image":
        return image if image is not None and root.uuid in (None, image.id) else _image_of(ctxt, root, lookups)
    if root.source_type == "blank":
        return image or ImageMeta(id="")
    volume_id = root.volume_id
    if root.source_type == "snapshot":
        volume_id = lookups.snapshot(ctxt, str(root.uuid)).volume_id
    try:
        volume = lookups.volume(ctxt, str(volume_id))
    except exception.NotFound as error:
        if root.source_type == "snapshot":  # the volume may be gone; its snapshot boots without what it knew
            return ImageMeta(id="")
        raise exception.InvalidBlockDevice(details=f"failed to get volume {volume_id}.") from error
    if root.source_type == "volume" and not volume.bootable:
        raise exception.Invalid(f"Block Device {volume.id} is not bootable.")
    return of_volume_metadata(volume)


def _image_of(ctxt: RequestContext, root: BlockDevice, lookups: Lookups) -> ImageMeta:
    try:
        return lookups.image(ctxt, str(root.uuid))
    except exception.NotFound as error:
        raise exception.InvalidBlockDevice(details=f"failed to get image {root.uuid}.") from error


def of_volume_metadata(volume: Volume) -> ImageMeta:
    """The image that a volume was made of, as far as the volume remembers it; sizes are the volume's."""
    known = volume.image_metadata
    return ImageMeta(
        id=known.get("image_id", ""),
        name=known.get("image_name"),
        disk_format=known.get("disk_format"),
        container_format=known.get("container_format"),
        size=volume.size << 30,
        min_disk=_number(known.get("min_disk")),
        min_ram=_number(known.get("min_ram")),
        properties={key: value for key, value in known.items() if key not in _IMAGE_FACTS},
    )


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() else 0
