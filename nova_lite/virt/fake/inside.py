"""What the fake hypervisor does inside a guest: a password, a non-maskable interrupt, and what it counts of it."""

from __future__ import annotations

from nova_lite.objects import CpuDiagnostics, Diagnostics, DiskDiagnostics, Instance, NicDiagnostics
from nova_lite.virt import driver
from nova_lite.virt.fake.base import FakeBase

# The figures of Nova's own fake driver, which clients' tests know.
_CPU_TIME_NS = 17_300_000_000
_UPTIME_S = 46_664


class FakeInside(FakeBase, driver.PasswordDriver, driver.NmiDriver, driver.DiagnosticsDriver):
    """Groups ``password``, ``nmi`` and ``diagnostics``."""

    def set_admin_password(self, instance: Instance, new_password: str) -> None:
        self.plan.strike("set_admin_password", instance.uuid)
        guest = self._guest(instance)
        guest.admin_password = new_password
        self._keep(guest)

    def inject_nmi(self, instance: Instance) -> None:
        self.plan.strike("inject_nmi", instance.uuid)
        guest = self._guest(instance)
        guest.nmis += 1
        self._keep(guest)

    def diagnostics(self, instance: Instance) -> Diagnostics:
        self.plan.strike("diagnostics", instance.uuid)
        self._guest(instance)
        return Diagnostics(
            state="running",
            driver="libvirt",
            hypervisor="kvm",
            hypervisor_os="ubuntu",
            memory_maximum_mb=instance.flavor.memory_mb,
            memory_used_mb=0,
            config_drive=instance.config_drive,
            uptime_s=_UPTIME_S,
            cpus=tuple(CpuDiagnostics(number, _CPU_TIME_NS, 15) for number in range(instance.flavor.vcpus)),
            disks=(DiskDiagnostics("vda", 262_144, 112, 5_778_432, 488, 1),),
            nics=tuple(
                NicDiagnostics(
                    f"vnet{number}", vif.mac, 2_070_139, 26_701, 100, 200, 300, 140_208, 662, 400, 500, 600
                )
                for number, vif in enumerate(instance.network_info)
            ),
        )
