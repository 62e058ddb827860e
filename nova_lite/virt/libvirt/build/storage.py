"""Disks: each with its format and what lies under it spelled out, so that nobody probes what a guest can write."""

from __future__ import annotations

import string
from dataclasses import replace

from nova_lite.virt.libvirt.build.request import GuestRequest
from nova_lite.virt.libvirt.layout import LocalDisk
from nova_lite.virt.libvirt.xml.devices import BackingStore, Controller, Disk
from nova_lite.virt.libvirt.xml.domain import Domain

_PREFIX = {"virtio": "vd", "ide": "hd", "sata": "sd", "scsi": "sd", "usb": "sd"}


def disks(request: GuestRequest, domain: Domain) -> Domain:
    found = tuple(
        _element(request, disk, name, first=position == 0)
        for position, (disk, name) in enumerate(device_names(request))
    )
    scsi = any(each.target_bus == "scsi" for each in found)
    controllers = (Controller("scsi", model="virtio-scsi"),) if scsi else ()
    return replace(domain, disks=found, controllers=domain.controllers + controllers)


def device_names(request: GuestRequest) -> tuple[tuple[LocalDisk, str], ...]:
    """Each disk with the name the guest will most likely give it: vda, vdb, hda ..."""
    used: dict[str, int] = {}
    found = []
    for disk in request.layout.disks:
        prefix = _PREFIX[_bus(request, disk)]
        found.append((disk, prefix + string.ascii_lowercase[used.setdefault(prefix, 0)]))
        used[prefix] += 1
    return tuple(found)


def _device(request: GuestRequest, disk: LocalDisk) -> str:
    """A CD-ROM, or the config drive as a plain disk where the machine has no IDE: cloud kernels lack AHCI."""
    if disk.role == "config" and not request.has_ide:
        return "disk"
    return disk.device


def _bus(request: GuestRequest, disk: LocalDisk) -> str:
    if _device(request, disk) == "cdrom":
        return request.properties.cdrom_bus or ("ide" if request.has_ide else "sata")
    return request.properties.disk_bus or "virtio"


def _element(request: GuestRequest, disk: LocalDisk, name: str, first: bool) -> Disk:
    device = _device(request, disk)
    read_only = device == "cdrom" or disk.role == "config"
    return Disk(
        device=device,
        driver_type=disk.format,
        cache=None if read_only else "writeback",  # QEMU's default: what the guest flushes is on disk
        discard=None if read_only else "unmap",
        source_file=disk.path,
        backing_store=_backing(disk),
        target_dev=name,
        target_bus=_bus(request, disk),
        read_only="" if read_only else None,
        boot_order=1 if first and request.layout.kernel is None else None,
    )


def _backing(disk: LocalDisk) -> BackingStore | None:
    if disk.base is None:
        return BackingStore() if disk.format == "qcow2" else None
    return BackingStore(type="file", format=disk.base_format, source_file=disk.base, below=BackingStore())
