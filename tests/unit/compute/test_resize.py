"""A resize on one host that goes back, or is taken back: what is there may be all there is of the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.compute import actions, resize, revert
from nova_lite.objects import Instance
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.builders import make_flavor
from tests.harness.database import make_instance
from tests.harness.lone_host import CTXT, NAME, LoneHost, operation


@pytest.mark.parametrize("handed_over", [False, True])
def test_a_resize_on_one_host_goes_back_to_the_disks_that_there_are(handed_over: bool) -> None:
    lone, server = LoneHost(), make_instance(host=NAME, node=NAME)
    lone.driver.create_disks(None, server)
    lone.driver.spawn(server, ())
    sent = {}
    if handed_over:
        sent["disks"] = lone.driver.migrate_disk_and_power_off(server, NAME, None, server.flavor)
        lone.driver.finish_migration(server, (), sent["disks"], True)
    side = {"host": NAME, "node": NAME}
    failure = {"reason": "no space", "details": "", "code": 500}
    undo = operation("resize", server, (), stage="undo", old=side, new=side, power_on=True, failure=failure, **sent)
    resize._undo(lone.host, CTXT, undo, server)
    assert lone.driver.power_state(server) == 1
    assert (lone.driver.disks, lone.driver.kept) == ({server.uuid}, {})


@pytest.mark.parametrize(
    ("action", "stage", "turn"), [("resize", "undo", resize._undo), ("revertResize", "finish", revert.revert)]
)
def test_who_died_after_the_way_back_on_one_host_removes_nothing(
    action: str, stage: str, turn: Callable[..., None]
) -> None:
    """Its last word was lost with it: the turn is done once more, by another worker, on the disks that are back."""
    lone, server = LoneHost(), make_instance(host=NAME, node=NAME)
    lone.driver.create_disks(None, server)
    lone.driver.spawn(server, ())
    disks = lone.driver.migrate_disk_and_power_off(server, NAME, None, server.flavor)
    lone.driver.finish_migration(server, (), disks, True)
    side, failure = {"host": NAME, "node": NAME}, {"reason": "no", "details": "", "code": 500}
    args: dict[str, Any] = {"stage": stage, "old": side, "new": side, "power_on": True, "disks": disks}
    steps: list[str] = []
    for _ in range(2):
        again = operation(action, server, steps, failure=failure, **args)
        turn(lone.host, CTXT, again, server)
        # What it says after that is what was lost.
        steps = [told[3] for told in lone.conductor.told if told[0] == "progress"][:1]
    assert steps == [actions.CLEARED_STEP]
    assert lone.driver.power_state(server) == 1
    assert (lone.driver.disks, lone.driver.kept) == ({server.uuid}, {})


def _resized() -> tuple[LoneHost, Any, dict[str, Any]]:
    """A server that a resize on this host built anew, beside what it set aside."""
    lone, server = LoneHost(), make_instance(host=NAME, node=NAME)
    lone.driver.create_disks(None, server)
    lone.driver.spawn(server, ())
    disks = lone.driver.migrate_disk_and_power_off(server, NAME, None, server.flavor)
    lone.driver.finish_migration(server, (), disks, True)
    lone.driver.roots[server.uuid] = "half of a copy"
    return lone, server, disks


def test_while_what_the_resize_made_is_there_nothing_is_taken_up() -> None:
    """It would be taken for the server's disk, and what was set aside be forgotten."""
    lone, server, disks = _resized()
    side, failure = {"host": NAME, "node": NAME}, {"reason": "no", "details": "", "code": 500}
    args: dict[str, Any] = {"stage": "undo", "old": side, "new": side, "power_on": True, "disks": disks}
    undo = operation("resize", server, (), failure=failure, **args)
    lone.driver.plan.add(FaultRule("revert_migration", FaultKind.RAISE, times=1))
    resize._undo(lone.host, CTXT, undo, server)
    assert lone.conductor.verbs() == ["put_down"] and server.uuid in lone.driver.kept
    resize._undo(lone.host, CTXT, undo, server)
    assert lone.conductor.verbs()[-1] == "fail_operation"
    assert (lone.driver.roots, lone.driver.kept) == ({server.uuid: disks["root"]}, {})


@pytest.mark.parametrize("error", [exception.ServiceStopping(), exception.StaleWrite(what="it")])
def test_who_stops_while_he_builds_undoes_nothing(error: exception.NovaLiteError) -> None:
    """The turn is still his host's, or another's: what came is what it goes on with."""
    lone, server = LoneHost(), make_instance(host=NAME, node=NAME)
    sides = {side: {"host": side, "node": side, "flavor": make_flavor().to_primitive()} for side in ("there", NAME)}
    lone.driver._lay(server, "what came")

    def stops(*_: Any) -> None:
        raise error

    lone.network.move = stops  # type: ignore[method-assign,assignment]
    build = operation(
        "resize", server, (), stage="finish", old=sides["there"], new=sides[NAME], power_on=True, disks={"root": ""}
    )
    with pytest.raises(type(error)):
        resize.resize(lone.host, CTXT, build, server)
    assert lone.driver.roots == {server.uuid: "what came"} and lone.conductor.told == []


def _agrees(lone: LoneHost, server: Instance, source: str = "there") -> tuple[Any, ...]:
    """What a destination says at last."""
    side = {"host": source, "node": source}
    begun = operation("resize", server, (), stage="prep", old=side, new={"host": NAME, "node": NAME}, power_on=True)
    resize.resize(lone.host, CTXT, begun, server)
    return tuple(lone.conductor.told[-1])


@pytest.mark.parametrize("guest", [False, True])
def test_a_destination_removes_what_it_has_of_before(guest: bool) -> None:
    """What comes would be laid over the disk of a guest that may run."""
    lone, server = LoneHost(), make_instance(host="there", node="there", generation=3)
    lone.driver.create_disks(None, server)
    if guest:
        lone.driver.spawn(server.replace(generation=2), ())
    assert _agrees(lone, server)[3:5] == ("resize", "there")
    assert not lone.driver.guests and not lone.driver.disks


@pytest.mark.parametrize("generation", [3, 4])
def test_a_destination_with_a_guest_that_may_not_be_stale_takes_no_other(generation: int) -> None:
    """Nothing of it is touched, and another host is chosen."""
    lone, server = LoneHost(), make_instance(host="there", node="there", generation=3)
    lone.driver.create_disks(None, server)
    lone.driver.spawn(server.replace(generation=generation), ())
    told = _agrees(lone, server)
    assert told[3:5] == ("schedule", None) and told[6]["ignore_hosts"] == [NAME]
    assert lone.driver.guests[server.uuid].generation == generation and lone.driver.disks == {server.uuid}


def test_a_destination_that_is_the_source_removes_nothing() -> None:
    lone, server = LoneHost(), make_instance(host=NAME, node=NAME)
    lone.driver.create_disks(None, server)
    lone.driver.spawn(server, ())
    assert _agrees(lone, server, NAME)[3:5] == ("resize", NAME)
    assert server.uuid in lone.driver.guests and lone.driver.disks == {server.uuid}


def test_a_destination_that_cannot_make_room_is_not_the_one() -> None:
    lone, server = LoneHost(), make_instance(host="there", node="there")
    lone.driver.create_disks(None, server)
    lone.driver.plan.add(FaultRule("delete_disks", FaultKind.RAISE))
    told = _agrees(lone, server)
    assert told[3] == "schedule" and told[6]["lacking"] == "Action 'resize' failed: NovaLiteError"
