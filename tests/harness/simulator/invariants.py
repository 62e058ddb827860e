"""What must hold at every moment, and what must have become true in the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import text

from nova_lite import exception
from nova_lite.compute.power_states import PowerState
from nova_lite.db import session
from nova_lite.db.api import instances, operations, provisional_images, provisional_volumes, services
from nova_lite.liveness import COMPUTE
from nova_lite.objects import OPEN_STATES
from tests.harness.simulator.fleet import HOSTS, Fleet
from tests.harness.simulator.workload import Ledger

# Every so many commits the claims are counted.
CLAIMS_EVERY = 4

_OVERBOOKED = text(
    "SELECT n.host, SUM(a.vcpus) > n.vcpus * n.cpu_allocation_ratio, "
    "SUM(a.memory_mb) > n.memory_mb * n.ram_allocation_ratio, SUM(a.disk_gb) > n.local_gb * n.disk_allocation_ratio, "
    "SUM(a.vcpus) <> n.vcpus_used, SUM(a.memory_mb) <> n.memory_mb_used, SUM(a.disk_gb) <> n.local_gb_used "
    "FROM allocations a JOIN compute_nodes n ON n.uuid = a.node_uuid GROUP BY n.id"
)
_OPEN = text("SELECT COUNT(*) FROM operations WHERE state IN ('pending', 'running')")


class Watch:
    """Looks at each point that a task passes; what it finds wrong is a sentence of ``found``."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._commits = 0
        self.found: list[str] = []

    def __call__(self, point: str) -> None:
        if point.startswith("driver."):
            self._one_guest_a_server()
        elif point == "db.after_commit":
            self._commits += 1
            if self._commits % CLAIMS_EVERY == 0:
                self._claims_fit()

    def _one_guest_a_server(self) -> None:
        homes: dict[str, list[str]] = defaultdict(list)
        for host, driver in self._fleet.drivers.items():
            for guest in driver.guests.values():
                if guest.power_state == PowerState.RUNNING:
                    homes[guest.uuid].append(host)
        for uuid, hosts in homes.items():
            strict = [host for host in hosts if uuid not in self._fleet.left[host]]
            if len(hosts) > 1 and strict and len(strict) != 1:
                self._say(f"I3: server {uuid} runs on {hosts} at once")

    def _claims_fit(self) -> None:
        try:
            with session.reader() as reading:
                rows = reading.execute(_OVERBOOKED).all()
        except exception.NovaLiteError:
            return  # the database is away
        for host, *wrong in rows:
            if any(wrong[:3]):
                self._say(f"I4: more is claimed of {host} than it has: {wrong[:3]}")
            if any(wrong[3:]):
                self._say(f"I4: the books of {host} say something else than its claims")

    def _say(self, what: str) -> None:
        if what not in self.found:
            self.found.append(what)


def is_busy() -> bool:
    """Whether any operation is open: a cheap look before the whole oracle's."""
    with session.reader() as reading:
        return bool(reading.execute(_OPEN).scalar_one())


def is_promised() -> bool:
    """Whether an image or a volume waits for a request that never came to be accepted: it goes when its time is up."""
    return bool(provisional_images.list_all() or provisional_volumes.list_all())


def unpaid(ledger: Ledger) -> Iterable[str]:
    """What was promised and not kept, once everything is quiet (I2, I6, I12)."""
    yield from ledger.broken
    for owed in ledger.owed:
        try:
            server = instances.get(str(owed.server), include_deleted=True)
        except exception.InstanceNotFound:
            yield f"I2: server {owed.server} of an accepted {owed.what} never was"
            continue
        if owed.gone and not server.is_deleted:
            yield f"I6: server {owed.server} was deleted and is {server.vm_state}"
        known = [each for each in operations.list_for_instance(server.uuid) if each.request_id == owed.request_id]
        if not known and not owed.gone:
            yield f"I2: an accepted {owed.what} of {owed.server} ({owed.request_id}) left no operation"
        if any(each.state in OPEN_STATES for each in known):
            yield f"I2: an accepted {owed.what} of {owed.server} has not ended"
    for key, made in ledger.keys.items():
        if len(made) > 1:
            yield f"I12: one key ({key}) made servers {sorted(made)}"


def replaced(fleet: Fleet) -> Iterable[str]:
    """Daemons that live, and that the database takes for former ones (I12)."""
    for name in HOSTS:
        manager: Any = fleet.services[name].manager
        life = manager._life
        present = services.get_by_host(name, COMPUTE).epoch
        if present != life.epoch or life.fence.why_shut is not None:
            yield f"I12: {name} lives as {life.epoch}, and {present} is registered: {life.fence.why_shut}"


# Of each table what a repeated message must not change.
_FACTS = {
    "instances": "uuid, host, vm_state, task_state, power_state, generation, deleted_at IS NULL, network_info, "
    "block_devices, locked",
    "operations": "id, state, action, attempt, message",
    "allocations": "instance_uuid, node_uuid, vcpus, memory_mb, disk_gb",
    "migrations": "uuid, status, source_compute, dest_compute",
    "quota_usages": "*",
    "compute_nodes": "uuid, host, vcpus_used, memory_mb_used, local_gb_used",
    "services": "host, epoch, disabled, forced_down",
}
# What a host saw long ago, said again, may make it look once more; what that changed, other facts would show.
_BUT = {"operations": "action = 'settle' AND state = 'done'"}


def facts(fleet: Fleet) -> dict[str, Any]:
    """Everything that a user or an operator could see, without times."""
    found: dict[str, Any] = {}
    with session.reader() as reading:
        for table, columns in _FACTS.items():
            but = _BUT.get(table, "FALSE")
            rows = reading.execute(text(f"SELECT {columns} FROM {table} WHERE NOT ({but})")).all()  # noqa: S608
            found[table] = sorted(map(repr, rows))
    for host, driver in fleet.drivers.items():
        found[f"guests of {host}"] = sorted(repr(guest) for guest in driver.guests.values())
        found[f"disks of {host}"] = sorted(driver.list_disks())
    found["ports"] = sorted(repr((port["id"], port["device_id"])) for port in fleet.networks.store.all("port"))
    found["volumes"] = sorted(
        repr((row["id"], row["status"])) for row in fleet.volumes.rows("/volumes/detail", "volumes")
    )
    found["images"] = sorted(fleet.images.images)
    return found


def differences(before: dict[str, Any], after: dict[str, Any]) -> Iterable[str]:
    """What became other."""
    for name, was in before.items():
        gone, come = sorted(set(was) - set(after[name])), sorted(set(after[name]) - set(was))
        if gone or come:
            yield f"I12: saying every message again changed {name}: {gone} became {come}"
