"""What a conductor believes of a host: who it is, that it lives, and what it says of its guests."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from nova_lite import exception, versions
from nova_lite.clock import utcnow
from nova_lite.compute.power_states import PowerState
from nova_lite.conductor import hosts
from nova_lite.db.api import compute_nodes, instances, operations, services
from nova_lite.db.models import Service as ServiceModel
from nova_lite.db.session import writer
from nova_lite.liveness import COMPUTE
from nova_lite.objects import HostIdentity, Instance, Operation, Presence, Service
from tests.harness.builders import make_node
from tests.harness.database import make_instance

LEASE_S = 30.0

pytestmark = pytest.mark.usefixtures("database")


def _service(epoch: str, version: int = versions.CURRENT.number) -> Service:
    return Service(
        "uuid", "h", COMPUTE, "compute", epoch=epoch, version=version, works_with=versions.CURRENT.works_with
    )


def _register(epoch: str, known: HostIdentity | None = None) -> HostIdentity | None:
    return hosts.register(_service(epoch), make_node("h"), _owner(epoch), known)


def _owner(epoch: str) -> str:
    return f"{COMPUTE}:h:{epoch}"


def _operation() -> int:
    server = instances.insert(make_instance(host="h", node="h"))
    return operations.insert_pending(
        request_id="r", instance_uuid=server.uuid, action="stop", project_id="p", user_id="u", topic="compute",
        host="h", args={}, timeout_s=90,
    )  # fmt: skip


def _take(number: int, epoch: str) -> Operation | None:
    taken = hosts.take(number, _owner(epoch), LEASE_S, "h")
    return taken and taken[0]


def test_what_a_former_life_held_may_be_taken_at_once_and_by_the_present_one_only() -> None:
    _register("one")
    number = _operation()
    first = _take(number, "one")
    assert first is not None and _take(number, "one") is None
    _register("two")
    assert _take(number, "one") is None, "a former life takes nothing"
    second = _take(number, "two")
    assert second is not None and second.retries == 1
    with pytest.raises(exception.StaleWrite):
        operations.hold(number, first.attempt)


def test_a_former_life_is_told_that_it_was_replaced() -> None:
    _register("one")
    _register("two")
    beats = services.get_by_host("h", COMPUTE).beats
    with pytest.raises(exception.HostReplaced):
        hosts.heartbeat("h", "one", _owner("one"), [], LEASE_S)
    assert services.get_by_host("h", COMPUTE).beats == beats
    assert hosts.heartbeat("h", "two", _owner("two"), [], LEASE_S)["beats"] == beats + 1


def test_a_host_that_nobody_knows_must_register() -> None:
    with pytest.raises(exception.ServiceNotFound):
        hosts.heartbeat("h", "one", _owner("one"), [], LEASE_S)


def test_the_heartbeat_brings_what_no_message_told_and_keeps_what_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "_WAKE_UP_GRACE_S", 0.0)
    _register("one")
    held, waits = _operation_of("held"), _operation_of("waits")
    taken = operations.take(held, _owner("one"), 0.5, "compute", "h")
    assert taken is not None
    answer = hosts.heartbeat("h", "one", _owner("one"), [held, 999], LEASE_S)
    assert (answer["waiting"], answer["lost"]) == ([waits], [999])
    now = operations.get(held)
    assert now.lease_until is not None and taken.lease_until is not None
    assert (now.lease_until - taken.lease_until).total_seconds() > LEASE_S / 2


def _operation_of(name: str) -> int:
    server = instances.insert(make_instance(name, host="h", node="h"))
    return operations.insert_pending(
        request_id="r", instance_uuid=server.uuid, action="stop", project_id="p", user_id="u", topic="compute",
        host="h", args={}, timeout_s=90,
    )  # fmt: skip


def test_a_host_that_is_somebody_else_writes_nothing() -> None:
    known = _register("one", HostIdentity("mine", "h", ""))
    assert known is not None and known.cloud
    for wrong in (known.replace(uuid="another"), known.replace(cloud="another"), known.replace(mark=known.mark + 9)):
        with pytest.raises(exception.HostRefused):
            _register("two", wrong)
    assert services.get_by_host("h", COMPUTE).epoch == "one"
    assert _register("two", known) is not None


def test_a_host_that_is_too_old_writes_nothing() -> None:
    old = dataclasses.replace(_service("one"), version=0)
    with pytest.raises(exception.IncompatibleVersion):
        hosts.register(old, make_node("h"), _owner("one"), None)
    assert services.list() == [] and compute_nodes.on_host("h") == []


def test_a_host_that_stayed_behind_an_upgrade_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not that another has replaced it: then it would never register again."""
    assert _register("one") is None
    table = ServiceModel.__table__
    with writer() as session:
        session.execute(table.update().values(version=0))
    with pytest.raises(exception.IncompatibleVersion):
        hosts.heartbeat("h", "one", _owner("one"), [], 9.0)


# -- what the hypervisor says ---------------------------------------------------------------------


def _server(**values: Any) -> Instance:
    defaults = {"host": "h", "node": "h", "task_state": None, "launched_at": utcnow(), "power_state": 1}
    return instances.insert(make_instance(**{**defaults, **values}))


def _says(server: Instance, power: PowerState, host: str = "h") -> Instance:
    hosts.report_power_state(host, server.uuid, int(power), hosts.written_at(server.uuid))
    return instances.get(server.uuid)


def test_a_guest_that_stopped_by_itself_is_stopped() -> None:
    assert _says(_server(), PowerState.SHUTDOWN).vm_state == "stopped"


@pytest.mark.parametrize("values", [{"task_state": "rebooting"}, {"host": "other"}, {"launched_at": None}])
def test_the_hypervisor_has_no_word_in_what_is_busy_or_elsewhere(values: dict[str, Any]) -> None:
    server = _server(**values)
    assert _says(server, PowerState.SHUTDOWN).vm_state == "active"


@pytest.mark.parametrize("values", [{"task_state": "rebooting"}, {"host": "other"}, {"vm_state": "paused"}])
def test_a_word_that_comes_late_changes_nothing(values: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The server was read before somebody began to work on it."""
    server = _server()
    instances.update_if(server.uuid, values)
    monkeypatch.setattr(instances, "get_many", lambda uuids: [server])
    assert _says(server, PowerState.SHUTDOWN).vm_state == values.get("vm_state", "active")


@pytest.mark.parametrize(
    ("values", "wrong"), [({}, True), ({"task_state": "powering-on"}, False), ({"host": "b"}, False)]
)
def test_what_runs_and_shall_not_is_the_hosts_to_stop_unless_it_is_busy(values: dict[str, Any], wrong: bool) -> None:
    server = _server(**{"vm_state": "stopped", **values})
    assert hosts.report_power_state("h", server.uuid, int(PowerState.RUNNING), hosts.written_at(server.uuid)) is wrong


def test_a_word_said_before_the_row_was_last_written_is_out_of_date() -> None:
    """However long it was under way, and however often it is said: the user has started the guest since."""
    server = _server(vm_state="active")
    before = hosts.written_at(server.uuid)
    assert _says(server, PowerState.SHUTDOWN).vm_state == "stopped"
    instances.update_if(server.uuid, {"vm_state": "active", "power_state": int(PowerState.RUNNING)})
    assert not hosts.report_power_state("h", server.uuid, int(PowerState.SHUTDOWN), before)
    assert instances.get(server.uuid).vm_state == "active"
    instances.update_if(server.uuid, {"vm_state": "stopped"})
    assert not hosts.report_power_state("h", server.uuid, int(PowerState.RUNNING), before), "it stops no guest, either"


# -- what a guest boots from ----------------------------------------------------------------------


def _judged(server: Instance, power: PowerState = PowerState.RUNNING, **seen: Any) -> tuple[str, str]:
    """What a host shall do with a guest of which its worker, who has its lock, says this; and what its server is."""
    presence = Presence(server.uuid, power_state=int(power), generation=server.generation).replace(**seen)
    ruling = hosts.judge("h", [presence])["rulings"][server.uuid]
    return ruling["verdict"], instances.get(server.uuid).vm_state


@pytest.mark.parametrize("before", ["active", "stopped"])
def test_a_server_is_rescued_whose_guest_was_booted_for_it(before: str) -> None:
    """It runs, although its server was stopped: that is no reason to stop it."""
    assert _judged(_server(vm_state=before), rescued=True) == ("leave", "rescued")


@pytest.mark.parametrize(("power", "after"), [(PowerState.RUNNING, "active"), (PowerState.SHUTDOWN, "stopped")])
def test_a_server_is_rescued_no_more_whose_guest_has_its_own_disk(power: PowerState, after: str) -> None:
    assert _judged(_server(vm_state="rescued"), power, rescued=False)[1] == after


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        ({"task_state": "unrescuing"}, {}), ({"host": "other"}, {}), ({"vm_state": "error"}, {}),
        ({"vm_state": "paused"}, {}), ({}, {"rescued": None}), ({}, {"generation": None}),
        ({"generation": 3}, {"generation": 2}),
    ],
)  # fmt: skip
def test_no_row_follows_what_is_busy_elsewhere_or_not_known(values: dict[str, Any], seen: dict[str, Any]) -> None:
    server = _server(**values)
    assert _judged(server, **{"rescued": True, **seen})[1] == server.vm_state


def test_no_row_follows_a_guest_whose_server_was_taken_up_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    server = _server()
    instances.update_if(server.uuid, {"task_state": "rebooting"})
    monkeypatch.setattr(instances, "get_many", lambda *_, **__: [server])
    assert _judged(server, rescued=True)[1] == "active"
