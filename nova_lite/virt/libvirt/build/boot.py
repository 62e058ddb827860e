"""Machine, firmware, and the kernel where the image names one."""

from __future__ import annotations

from dataclasses import replace

from nova_lite.virt.libvirt.build.request import GuestRequest
from nova_lite.virt.libvirt.build.storage import device_names
from nova_lite.virt.libvirt.xml.domain import Domain, Os


def boot(request: GuestRequest, domain: Domain) -> Domain:
    layout = request.layout
    return replace(
        domain,
        os=Os(
            firmware="efi" if request.properties.firmware == "uefi" else None,
            arch=request.arch,
            machine=request.machine,
            kernel=layout.kernel,
            initrd=layout.ramdisk if layout.kernel else None,
            cmdline=_command_line(request) if layout.kernel else None,
        ),
    )


def _command_line(request: GuestRequest) -> str:
    if request.properties.command_line:
        return request.properties.command_line
    names = device_names(request)
    root = next((f"root=/dev/{name} " for disk, name in names if disk.role == "root"), "")
    return f"{root}console=tty0 console=ttyS0"
