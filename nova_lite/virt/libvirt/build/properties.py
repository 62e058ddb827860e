"""Image properties that shape a guest: an allow-list, a validator each. Nothing else of an image reaches the XML."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nova_lite import exception
from nova_lite.objects import ImageMeta

_BUSES = ("virtio", "scsi", "sata", "ide", "usb")

# property -> (field of Properties, the values it may have)
CHOICES: dict[str, tuple[str, tuple[str, ...]]] = {
    "hw_disk_bus": ("disk_bus", _BUSES),
    "hw_cdrom_bus": ("cdrom_bus", _BUSES),
    "hw_vif_model": ("vif_model", ("virtio", "e1000", "e1000e", "rtl8139", "ne2k_pci", "pcnet")),
    "hw_video_model": ("video_model", ("vga", "cirrus", "qxl", "virtio", "bochs", "vmvga", "none")),
    "hw_firmware_type": ("firmware", ("bios", "uefi")),
    "hw_pointer_model": ("pointer_model", ("usbtablet", "ps2mouse")),
    "hw_rng_model": ("rng_model", ("virtio",)),
    "hw_qemu_guest_agent": ("guest_agent", ("yes", "no")),
}
# property -> (field, what it must look like)
PATTERNS: dict[str, tuple[str, re.Pattern[str]]] = {
    "hw_machine_type": ("machine_type", re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")),
    "os_command_line": ("command_line", re.compile(r"[\x20-\x7e]{0,2048}")),
}
_TRUTHS = {"true": "yes", "1": "yes", "on": "yes", "false": "no", "0": "no", "off": "no"}


@dataclass(frozen=True)
class Properties:
    """What an image asks of its guest; None where it asks for nothing."""

    disk_bus: str | None = None
    cdrom_bus: str | None = None
    vif_model: str | None = None
    video_model: str | None = None
    firmware: str | None = None
    pointer_model: str | None = None
    rng_model: str | None = None
    guest_agent: str | None = None
    machine_type: str | None = None
    command_line: str | None = None


def read(image: ImageMeta | None) -> Properties:
    """The image's wishes.

    :raises ImageUnacceptable: a known property has a value that is not allowed.
    """
    values: dict[str, str] = {}
    properties = image.properties if image else {}
    for name, (field, allowed) in CHOICES.items():
        if properties.get(name):
            word = str(properties[name]).lower()
            values[field] = _TRUTHS.get(word, word) if allowed == ("yes", "no") else word
            if values[field] not in allowed:
                raise _refusal(image, name)
    for name, (field, pattern) in PATTERNS.items():
        if properties.get(name):
            values[field] = str(properties[name])
            if not pattern.fullmatch(values[field]):
                raise _refusal(image, name)
    return Properties(**values)


def _refusal(image: ImageMeta | None, name: str) -> exception.ImageUnacceptable:
    return exception.ImageUnacceptable(
        image_id=image.id if image else "", reason=f"its property {name} has a value that is not supported"
    )
