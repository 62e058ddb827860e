"""Names of block devices as a guest sees them: /dev/vda, /dev/vdb ... Pure."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable

from nova_lite import exception
from nova_lite.objects import BlockDevice, Flavor, Instance

# The letters of the bus that an image asks for (property hw_disk_bus); virtio where it asks for none.
_PREFIXES = {
    "virtio": "vd",
    "scsi": "sd",
    "sata": "sd",
    "usb": "sd",
    "ide": "hd",
    "xen": "xvd",
    "uml": "ubd",
    "lxc": "",
}
_NAME = re.compile(r"(/dev/)?[a-z]{1,4}[a-z0-9/]{0,16}")
_DISK = re.compile(r"/dev/([a-z]*?)([a-z])\d*$")


def of_root(properties: dict[str, str], wanted: str | None = None) -> str:
    """The root disk's name: what the request or the image says, else the first of the image's bus."""
    name = wanted or properties.get("root_device_name")
    if name:
        return full(name)
    return f"/dev/{_PREFIXES.get(properties.get('hw_disk_bus', ''), 'vd') or 'vd'}a"


def full(name: str) -> str:
    return name if name.startswith("/dev/") else f"/dev/{name}"


def checked(name: str) -> str:
    """The full name. :raises InvalidDevicePath: no name of a device."""
    if not _NAME.fullmatch(name):
        raise exception.InvalidDevicePath(path=name)
    return full(name)


def following(root: str, taken: Iterable[str]) -> str:
    """The first free name on the root disk's bus; the 27th disk is called ...aa."""
    match = _DISK.match(root)
    prefix = match[1] if match else "vd"
    used = {name.rstrip(string.digits) for name in taken}
    letters = string.ascii_lowercase
    for suffix in (*letters, *(first + second for first in letters for second in letters)):
        name = f"/dev/{prefix}{suffix}"
        if name not in used and name != root:
            return name
    raise exception.Invalid("The server has as many disks as it can have.")


def assign(devices: Iterable[BlockDevice], root: str, flavor: Flavor) -> tuple[BlockDevice, ...]:
    """The devices with a name each: the root's own, then the flavor's local disks, then one after the other."""
    named = []
    devices = tuple(devices)
    taken = {root, *(full(each.device_name) for each in devices if each.device_name)}
    for size, is_there in (
        (flavor.ephemeral_gb, any(each.is_ephemeral for each in devices)),
        (flavor.swap_mb, any(each.is_swap for each in devices)),
    ):
        if size and not is_there:
            taken.add(following(root, taken))
    for device in devices:
        if device.is_root:
            name = root
        else:
            name = full(device.device_name) if device.device_name else following(root, taken)
        taken.add(name)
        named.append(device.replace(device_name=name))
    return tuple(named)


def for_attach(instance: Instance, wanted: str | None) -> str:
    """The name of a volume that is attached now.

    :raises InvalidDevicePath: no name; :raises DevicePathInUse: another device has it.
    """
    root = instance.root_device_name or of_root(dict(instance.image.properties) if instance.image else {})
    taken = {root, *(full(each.device_name) for each in instance.block_devices if each.device_name)}
    if wanted is not None:
        name = checked(wanted)
        if name in taken:
            raise exception.DevicePathInUse(path=name)
        return name
    for size, is_there in (
        (instance.flavor.ephemeral_gb, any(each.is_ephemeral for each in instance.block_devices)),
        (instance.flavor.swap_mb, any(each.is_swap for each in instance.block_devices)),
    ):
        if size and not is_there:
            taken.add(following(root, taken))
    return following(root, taken)
