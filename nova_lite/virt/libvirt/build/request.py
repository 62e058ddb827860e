"""What a guest is built from."""

from __future__ import annotations

from dataclasses import dataclass, field

from nova_lite.objects import Instance, Vif
from nova_lite.virt.libvirt.build.properties import Properties
from nova_lite.virt.libvirt.layout import Layout
from nova_lite.virt.libvirt.options import Options


@dataclass(frozen=True)
class GuestRequest:
    """One server on this host. ``virt_type`` is decided: kvm or qemu; ``arch`` is the host's."""

    instance: Instance
    layout: Layout
    options: Options
    console_log: str
    vifs: tuple[Vif, ...] = ()
    properties: Properties = field(default_factory=Properties)
    virt_type: str = "qemu"
    arch: str = "x86_64"

    @property
    def machine(self) -> str:
        """QEMU's machine type: the image's, else the host's, else the plainest one of the architecture."""
        default = "pc" if self.arch in ("x86_64", "i686") else "virt"
        return self.properties.machine_type or self.options.machine_type or default

    @property
    def has_ide(self) -> bool:
        return self.machine == "pc" or self.machine.startswith("pc-i440fx")
