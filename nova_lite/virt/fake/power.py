"""The fake hypervisor's power switch, its pause and suspend, and its console."""

from __future__ import annotations

from nova_lite.compute.power_states import PowerState
from nova_lite.objects import Instance, Vif
from nova_lite.virt import driver
from nova_lite.virt.fake.base import FakeBase


class FakePower(FakeBase, driver.PowerDriver, driver.PauseDriver, driver.SuspendDriver, driver.ConsoleDriver):
    """Groups ``power``, ``pause``, ``suspend`` and ``console``."""

    def power_on(self, instance: Instance, vifs: tuple[Vif, ...]) -> None:
        self.plan.strike("power_on", instance.uuid)
        self._boot(instance, vifs)

    def power_off(self, instance: Instance, timeout_s: int = 60) -> None:
        self.plan.strike("power_off", instance.uuid)
        self._set(instance, PowerState.SHUTDOWN)

    def reboot(self, instance: Instance, vifs: tuple[Vif, ...], hard: bool) -> None:
        self.plan.strike("reboot", instance.uuid)
        self._boot(instance, vifs)

    def pause(self, instance: Instance) -> None:
        self.plan.strike("pause", instance.uuid)
        self._set(instance, PowerState.PAUSED)

    def unpause(self, instance: Instance) -> None:
        self.plan.strike("unpause", instance.uuid)
        self._set(instance, PowerState.RUNNING)

    def suspend(self, instance: Instance) -> None:
        self.plan.strike("suspend", instance.uuid)
        self._guest(instance).saved = True
        self._set(instance, PowerState.SHUTDOWN)

    def resume(self, instance: Instance, vifs: tuple[Vif, ...]) -> None:
        self.plan.strike("resume", instance.uuid)
        self._guest(instance).saved = False
        self._set(instance, PowerState.RUNNING)

    # -- console ----------------------------------------------------------------------------------

    def console_output(self, instance: Instance, limit_bytes: int) -> bytes:
        self.plan.strike("console_output", instance.uuid)
        return self._guest(instance).console.encode()[-limit_bytes:]
