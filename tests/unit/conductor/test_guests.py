"""What a conductor believes of what hosts say of guests."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite.clock import utcnow
from nova_lite.compute.power_states import PowerState
from nova_lite.conductor import guests
from nova_lite.db.api import instances
from nova_lite.objects import Instance, Presence
from tests.harness.database import make_instance

pytestmark = pytest.mark.usefixtures("database")


def _server(**values: Any) -> Instance:
    defaults = {"host": "h", "node": "h", "task_state": None, "launched_at": utcnow(), "power_state": 1}
    return instances.insert(make_instance(**{**defaults, **values}))


def _says(server: Instance, power: PowerState, host: str = "h") -> Instance:
    guests.report_power_state(host, server.uuid, int(power), guests.written_at(server.uuid))
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
    assert guests.report_power_state("h", server.uuid, int(PowerState.RUNNING), guests.written_at(server.uuid)) is wrong


def test_a_word_said_before_the_row_was_last_written_is_out_of_date() -> None:
    """However long it was under way, and however often it is said: the user has started the guest since."""
    server = _server(vm_state="active")
    before = guests.written_at(server.uuid)
    assert _says(server, PowerState.SHUTDOWN).vm_state == "stopped"
    instances.update_if(server.uuid, {"vm_state": "active", "power_state": int(PowerState.RUNNING)})
    assert not guests.report_power_state("h", server.uuid, int(PowerState.SHUTDOWN), before)
    assert instances.get(server.uuid).vm_state == "active"
    instances.update_if(server.uuid, {"vm_state": "stopped"})
    assert not guests.report_power_state("h", server.uuid, int(PowerState.RUNNING), before), "it stops no guest, either"


# -- what a guest boots from ----------------------------------------------------------------------


def _judged(server: Instance, power: PowerState = PowerState.RUNNING, **seen: Any) -> tuple[str, str]:
    """What a host shall do with a guest of which its worker, who has its lock, says this; and what its server is."""
    presence = Presence(server.uuid, power_state=int(power), generation=server.generation).replace(**seen)
    ruling = guests.judge("h", [presence])["rulings"][server.uuid]
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
