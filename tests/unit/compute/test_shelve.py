"""A shelving that goes on after a crash: what is on the shelf already is not put there once more."""

from __future__ import annotations

import pytest

from nova_lite import exception
from nova_lite.compute.shelve import shelve, shelve_offload
from nova_lite.objects import Instance
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.database import make_instance
from tests.harness.lone_host import CTXT, NAME, LoneHost, operation


def _booted(vm_state: str) -> tuple[LoneHost, Instance]:
    lone, server = LoneHost(), make_instance(host=NAME, vm_state=vm_state, block_devices=())
    lone.driver.create_disks(CTXT, server)
    lone.driver.spawn(server, ())
    return lone, server


def test_what_was_shelved_before_the_crash_only_leaves_its_host() -> None:
    lone, server = _booted("shelved")
    shelve(lone.host, CTXT, operation("shelve", server, ["shelved"], image_id="image", offload=True), server)
    assert lone.is_empty() and lone.conductor.verbs()[-1] == "finish_operation"
    assert "snapshot" not in {call for call, _ in lone.driver.plan.calls}
    assert not any("shelved" in each for each in lone.conductor.told), "it is not written down again"


def test_an_offloading_is_tried_until_nothing_is_left() -> None:
    lone, server = _booted("shelved")
    lone.driver.plan.add(FaultRule("destroy", FaultKind.RAISE, times=1))
    for verb in ("put_down", "finish_operation"):
        shelve_offload(lone.host, CTXT, operation("shelveOffload", server), server)
        assert lone.conductor.verbs()[-1] == verb
    assert lone.is_empty()


def test_who_was_overtaken_ends_nothing() -> None:
    lone, server = _booted("shelved")
    lone.conductor.refuses = {"finish_operation"}
    with pytest.raises(exception.StaleWrite):
        shelve_offload(lone.host, CTXT, operation("shelveOffload", server), server)
