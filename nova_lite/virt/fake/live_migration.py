"""Fake live migration: the hypervisors of one process know each other, and a guest is on exactly one of them.

The switch is one step under one lock: the guest leaves the source and stands on the destination, on which
``pre_live_migration`` had left a mark of its coming. Whoever takes the mark away first (the source that switches, the
destination that rolls back) decides what happened.
"""

from __future__ import annotations

import dataclasses
import json
import os
import threading
from collections.abc import Callable
from typing import Any

from nova_lite import exception
from nova_lite.objects import Instance, Vif
from nova_lite.virt import driver
from nova_lite.virt.fake.base import FakeBase

_MIB = 1024 * 1024
# In how many parts the memory goes over.
ROUNDS = 10

_HYPERVISORS: dict[str, FakeLiveMigration] = {}
_switch = threading.Lock()


class FakeLiveMigration(FakeBase, driver.LiveMigrationDriver):
    """Group ``live_migration``. The plan's call ``live_migrate_round`` is one of :data:`ROUNDS` parts of the way."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Guests on their way here, and the generation each will have.
        self.incoming: dict[str, int] = {}
        # Guests on their way from here, and what was asked of it.
        self._asked: dict[str, set[str]] = {}

    def init_host(self) -> None:
        # One step for those who send guests: they come to the former life, whose files are read here, or to this one.
        with _switch:
            if self._directory is not None:
                self.incoming = {path.stem: int(path.read_text()) for path in self._directory.glob("*.incoming")}
            super().init_host()  # afterwards: who is expected has disks, by which it is found when it is stale
            _HYPERVISORS[self.hostname] = self

    def close(self) -> None:
        super().close()
        if _HYPERVISORS.get(self.hostname) is self:
            del _HYPERVISORS[self.hostname]

    def destroy(self, instance: Instance) -> None:
        super().destroy(instance)
        with _switch:
            self._forget_incoming(instance.uuid)

    def list_incoming(self) -> frozenset[str]:
        return frozenset([*self.incoming])

    # -- on the destination -----------------------------------------------------------------------

    def check_can_live_migrate_destination(
        self, instance: Instance, block_migration: bool | None, disk_over_commit: bool
    ) -> dict[str, Any]:
        self.plan.strike("check_can_live_migrate_destination", instance.uuid)
        return {"block_migration": block_migration is not False}

    def pre_live_migration(self, instance: Instance, vifs: tuple[Vif, ...], facts: dict[str, Any]) -> None:
        self.plan.strike("pre_live_migration", instance.uuid)
        self.create_disks(None, instance)
        with _switch:
            if instance.uuid in self.guests:
                return
            if self._directory is not None:
                self._write(self._directory / f"{instance.uuid}.incoming", str(instance.generation))
            self.incoming[instance.uuid] = instance.generation

    def rollback_live_migration(self, instance: Instance) -> bool:
        self.plan.strike("rollback_live_migration", instance.uuid)
        with _switch:
            guest = self.guests.get(instance.uuid)
            if guest is not None and guest.generation == instance.generation:
                return False
            self._forget_incoming(instance.uuid)
        self.delete_disks(instance)
        return True

    # -- on the source ----------------------------------------------------------------------------

    def live_migrate(
        self, instance: Instance, dest: str, facts: dict[str, Any], report: Callable[[dict[str, int]], None]
    ) -> None:
        if self._has_gone(instance, dest):
            return
        asked = self._asked.setdefault(instance.uuid, set())
        try:
            self.plan.strike("live_migrate", instance.uuid)
            self._guest(instance)
            total = instance.flavor.memory_mb * _MIB
            for done in range(ROUNDS + 1):
                report(_numbers(instance, total * done // ROUNDS))
                if "abort" in asked:
                    raise exception.LiveMigrationAborted(instance_uuid=instance.uuid)
                if "force_complete" in asked:
                    break
                if done < ROUNDS:
                    self.plan.strike("live_migrate_round", instance.uuid)
            self._switch_over(instance, dest)
        finally:
            self._asked.pop(instance.uuid, None)

    def post_live_migration(self, instance: Instance) -> None:
        self.plan.strike("post_live_migration", instance.uuid)
        if instance.uuid not in self.guests:
            self.delete_disks(instance)

    def abort_live_migration(self, instance: Instance) -> None:
        self.plan.strike("abort_live_migration", instance.uuid)
        self._asked.get(instance.uuid, set()).add("abort")

    def force_complete_live_migration(self, instance: Instance) -> None:
        self.plan.strike("force_complete_live_migration", instance.uuid)
        self._asked.get(instance.uuid, set()).add("force_complete")

    # -- inside -----------------------------------------------------------------------------------

    def _has_gone(self, instance: Instance, dest: str) -> bool:
        there = _HYPERVISORS.get(dest)
        guest = there.guests.get(instance.uuid) if there is not None else None
        return instance.uuid not in self.guests and guest is not None and guest.generation > instance.generation

    def _switch_over(self, instance: Instance, dest: str) -> None:
        with _switch:
            there = _HYPERVISORS.get(dest)
            if there is None or instance.uuid not in there.incoming:
                raise exception.HypervisorUnavailable(host=dest)
            if _HYPERVISORS.get(self.hostname) is not self:
                raise exception.ServiceStopping()  # this hypervisor was started anew: the guest is not ours to send
            guest = dataclasses.replace(self._guest(instance), generation=there.incoming[instance.uuid])
            if self._directory is not None and there._directory is not None:
                # Its file goes over in one step, so that whoever is killed when leaves it on one host.
                if self._directory.stat().st_dev != there._directory.stat().st_dev:
                    raise exception.HypervisorUnavailable(host=dest)
                mine = self._directory / f"{instance.uuid}.guest"
                self._write(mine, json.dumps(dataclasses.asdict(guest)))
                os.replace(mine, there._directory / mine.name)
            del self.guests[instance.uuid]
            there.guests[instance.uuid] = guest
            there._forget_incoming(instance.uuid)

    def _boot(self, instance: Instance, vifs: tuple[Vif, ...]) -> None:
        with _switch:
            self._forget_incoming(instance.uuid)  # it is here: nobody shall bring another one
        super()._boot(instance, vifs)

    def _forget_incoming(self, uuid: str) -> None:
        self.incoming.pop(uuid, None)
        if self._directory is not None:
            (self._directory / f"{uuid}.incoming").unlink(missing_ok=True)


def _numbers(instance: Instance, processed: int) -> dict[str, int]:
    memory = instance.flavor.memory_mb * _MIB
    return {
        "memory_total_bytes": memory,
        "memory_processed_bytes": processed,
        "memory_remaining_bytes": memory - processed,
        "disk_total_bytes": 0,
        "disk_processed_bytes": 0,
        "disk_remaining_bytes": 0,
    }
