"""The fake hypervisor's cold moves: what the source sets aside stays until the move is confirmed or reverted."""

from __future__ import annotations

from typing import Any

from nova_lite.compute.power_states import PowerState
from nova_lite.objects import Flavor, Instance, Vif
from nova_lite.virt import driver
from nova_lite.virt.fake.base import FakeBase


class FakeMigrate(FakeBase, driver.MigrateDriver):
    """Group ``migrate``. ``kept`` are root disks set aside, by server: the image that each was made of."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept: dict[str, str] = {}

    def init_host(self) -> None:
        super().init_host()
        if self._directory is not None:
            self.kept = {path.stem: path.read_text() for path in self._directory.glob("*.kept")}

    def list_disks(self) -> frozenset[str]:
        return super().list_disks() | self.kept.keys()

    def list_set_aside(self) -> frozenset[str]:
        return frozenset([*self.kept])

    def delete_disks(self, instance: Instance) -> None:
        super().delete_disks(instance)
        self._forget(instance)

    def migrate_disk_and_power_off(
        self, instance: Instance, dest: str, dest_ip: str | None, flavor: Flavor
    ) -> dict[str, Any]:
        self.plan.strike("migrate_disk_and_power_off", instance.uuid)
        # A disk in place is the server's; what lies aside then is of a move that ended otherwise.
        if instance.uuid in self.disks or instance.uuid not in self.kept:
            root = self.roots.get(instance.uuid, "")
            self._store(instance, "kept", root)
            self.kept[instance.uuid] = root
        self._remove(instance)
        return {"root": self.kept[instance.uuid]}

    def finish_migration(
        self, instance: Instance, vifs: tuple[Vif, ...], disks: dict[str, Any], power_on: bool
    ) -> None:
        self.plan.strike("finish_migration", instance.uuid)
        self._lay(instance, disks["root"])
        self._start(instance, vifs, power_on)

    def confirm_migration(self, instance: Instance) -> None:
        self.plan.strike("confirm_migration", instance.uuid)
        self._forget(instance)

    def revert_migration(self, instance: Instance) -> None:
        self.plan.strike("revert_migration", instance.uuid)
        self._remove(instance)

    def finish_revert_migration(self, instance: Instance, vifs: tuple[Vif, ...], power_on: bool) -> None:
        self.plan.strike("finish_revert_migration", instance.uuid)
        if instance.uuid in self.kept and instance.uuid not in self.disks:
            self._lay(instance, self.kept[instance.uuid])
        self._start(instance, vifs, power_on)
        self._forget(instance)

    # -- inside -----------------------------------------------------------------------------------

    def _lay(self, instance: Instance, root: str) -> None:
        self._store(instance, "disk", root)
        self.disks.add(instance.uuid)
        self.roots[instance.uuid] = root

    def _start(self, instance: Instance, vifs: tuple[Vif, ...], power_on: bool) -> None:
        self._boot(instance, vifs)
        if not power_on:
            self._set(instance, PowerState.SHUTDOWN)

    def _remove(self, instance: Instance) -> None:
        """The guest and the disks it runs on; what is set aside stays."""
        self._unlink(instance, "guest", "disk")
        self.guests.pop(instance.uuid, None)
        self.disks.discard(instance.uuid)
        self.roots.pop(instance.uuid, None)

    def _forget(self, instance: Instance) -> None:
        self._unlink(instance, "kept")
        self.kept.pop(instance.uuid, None)

    def _store(self, instance: Instance, kind: str, text: str) -> None:
        if self._directory is not None:
            self._write(self._directory / f"{instance.uuid}.{kind}", text)

    def _unlink(self, instance: Instance, *kinds: str) -> None:
        for kind in kinds if self._directory is not None else ():
            assert self._directory is not None
            (self._directory / f"{instance.uuid}.{kind}").unlink(missing_ok=True)
