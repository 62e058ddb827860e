"""Attaching an interface on its host: the port goes again when the guest refuses it, or another has the server."""

from __future__ import annotations

import pytest

from nova_lite import exception
from nova_lite.compute.custody import Place
from nova_lite.compute.interfaces import attach
from nova_lite.objects import Instance
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.database import make_instance
from tests.harness.lone_host import CTXT, NAME, LoneHost, operation


def _booted() -> tuple[LoneHost, Instance]:
    lone, server = LoneHost(), make_instance(host=NAME)
    lone.driver.create_disks(CTXT, server)
    lone.driver.spawn(server, ())
    return lone, server


def _attach(lone: LoneHost, server: Instance) -> None:
    attach(lone.host, CTXT, operation("attach_interface", server, request={"network_id": "net"}), server)


def test_a_port_and_a_card() -> None:
    lone, server = _booted()
    _attach(lone, server)
    assert lone.conductor.verbs()[-1] == "finish_operation" and [*lone.network.ports] == ["attach-7"]


def test_a_guest_that_refuses_costs_no_port() -> None:
    lone, server = _booted()
    lone.driver.plan.add(FaultRule("attach_interface", FaultKind.RAISE))
    _attach(lone, server)
    assert lone.conductor.verbs()[-1] == "fail_operation" and lone.network.ports == {}


def _is(lone: LoneHost, server: Instance, place: Place) -> None:
    """What the conductors say of the server."""
    lone.conductor.answers["judge_guests"] = {"rulings": {server.uuid: {"place": str(place)}}}


@pytest.mark.parametrize("place", [Place.HERE, Place.DELETED, Place.ABSENT])
@pytest.mark.parametrize("verb", ["progress", "finish_operation"])
def test_who_was_overtaken_leaves_no_port(verb: str, place: Place) -> None:
    lone, server = _booted()
    _is(lone, server, place)
    lone.conductor.refuses = {verb}
    with pytest.raises(exception.StaleWrite):
        _attach(lone, server)
    assert lone.network.ports == {} and "fail_operation" not in lone.conductor.verbs()


@pytest.mark.parametrize("place", [Place.EVACUATING, Place.ELSEWHERE])
@pytest.mark.parametrize("verb", ["finish_operation", "look_again"])
def test_a_port_that_went_elsewhere_with_its_server_stays(verb: str, place: Place) -> None:
    lone, server = _booted()
    _is(lone, server, place)
    lone.conductor.refuses = {verb}
    if verb == "look_again":
        lone.driver.plan.add(FaultRule("attach_interface", FaultKind.RAISE))
    with pytest.raises(exception.StaleWrite):
        _attach(lone, server)
    assert lone.network.ports != {}


def test_what_cannot_be_undone_now_is_not_forgotten() -> None:
    lone, server = _booted()
    lone.driver.plan.add(FaultRule("attach_interface", FaultKind.RAISE))
    lone.network.fails.append("detach")
    _attach(lone, server)
    assert lone.conductor.verbs()[-1] == "put_down" and lone.network.ports != {}
