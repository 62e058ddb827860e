"""A worker's turn on its host: proved anew when it had to wait, and cleaned up after when it was overtaken."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from nova_lite import conf as nova_conf
from nova_lite import exception
from nova_lite.compute import reconcile, verbs
from nova_lite.compute.manager import ComputeManager
from nova_lite.objects import Instance, Operation
from tests.harness.database import make_instance
from tests.harness.lone_host import CTXT, NAME, LoneHost, operation

SERVER = make_instance(host=NAME)
STOP = operation("stop", SERVER)
Done = list[tuple[str, Instance]]


@pytest.fixture
def manager() -> ComputeManager:
    nova_conf.register_all()
    nova_conf.CONF([], project="nova-lite", default_config_files=[], default_config_dirs=[])
    lone = LoneHost()
    lone.conductor.answers["take_operation"] = (STOP, SERVER)
    neighbours: tuple[Any, ...] = (lone.driver, lone.host.image, lone.network, lone.volumes)
    manager = ComputeManager(NAME, nova_conf.CONF, *neighbours)
    manager._host = dataclasses.replace(manager._host, conductor=lone.conductor)  # type: ignore[arg-type]
    return manager


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> Done:
    """What the verbs, and the cleaning after them, worked on."""
    found: Done = []
    monkeypatch.setattr(verbs, "perform", lambda host, ctxt, operation, server: found.append(("perform", server)))
    monkeypatch.setattr(reconcile, "keeps", lambda host, ctxt, server: found.append(("clean", server)))
    return found


def _verbs(manager: ComputeManager) -> list[str]:
    conductor: Any = manager._host.conductor
    return [*conductor.verbs()]


def test_a_turn_that_nobody_was_in_the_way_of(manager: ComputeManager, done: Done) -> None:
    manager._work(CTXT, STOP.id)
    assert (done, _verbs(manager)) == ([("perform", SERVER)], ["take_operation"])
    assert not manager._in_flight


def test_who_waited_for_the_server_looks_again(
    manager: ComputeManager, done: Done, monkeypatch: pytest.MonkeyPatch
) -> None:
    conductor: Any = manager._host.conductor
    conductor.answers["look_again"] = now = SERVER.replace(generation=9)
    _meanwhile(manager, monkeypatch)
    manager._work(CTXT, STOP.id)
    assert (done, _verbs(manager)) == ([("perform", now)], ["take_operation", "look_again"])


def test_who_waited_and_lost_its_turn_does_nothing(
    manager: ComputeManager, done: Done, monkeypatch: pytest.MonkeyPatch
) -> None:
    conductor: Any = manager._host.conductor
    conductor.refuses = {"look_again"}
    _meanwhile(manager, monkeypatch)
    manager._work(CTXT, STOP.id)
    assert done == []


def _meanwhile(manager: ComputeManager, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another turn of the same server ends between the taking of this one and its work."""
    conductor: Any = manager._host.conductor
    take: Callable[..., Any] = conductor.take_operation

    def taken(*args: Any) -> Any:
        answer = take(*args)
        with manager._host.locks.hold(SERVER.uuid):
            pass
        return answer

    monkeypatch.setattr(conductor, "take_operation", taken, raising=False)


def test_who_was_overtaken_leaves_nothing_that_another_host_has(
    manager: ComputeManager, done: Done, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(host: Any, ctxt: Any, operation: Operation, server: Instance) -> None:
        raise exception.StaleWrite(what="Operation 7")

    monkeypatch.setattr(verbs, "perform", overtaken)
    manager._work(CTXT, STOP.id)
    assert done == [("clean", SERVER)] and not manager._in_flight


def test_what_is_in_work_is_not_begun_again(
    manager: ComputeManager, done: Done, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    monkeypatch.setattr(manager._pool, "spawn", lambda work, ctxt, number: begun.append(number))
    manager.run_operation(CTXT, 7)
    manager.run_operation(CTXT, 7)
    manager.run_operation(CTXT, 8)
    assert begun == [7, 8]


def test_a_host_that_stops_begins_nothing(manager: ComputeManager, done: Done) -> None:
    manager.pre_stop()
    manager.run_operation(CTXT, 7)
    assert not manager._in_flight


def test_what_a_host_says_of_its_health_is_said_again_now_and_then(
    manager: ComputeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A complaint that comes late, after its recovery was told, would keep the host out of use for ever."""
    for name in ("clean", "report_all"):
        monkeypatch.setattr(reconcile, name, lambda *_: None)
    for _ in range(2):
        manager._report_health()
        manager._report_health()
        manager._sync_power_states()
    assert _verbs(manager) == ["report_health"] * 2
