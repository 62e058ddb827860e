"""A shelving that goes on after a crash, and disks that leave their host: only what is in its image, as it is now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.compute.shelve import shelve, shelve_offload
from nova_lite.objects import ImageMeta, Instance
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.database import make_instance
from tests.harness.lone_host import CTXT, NAME, LoneHost, operation


def _booted(vm_state: str) -> tuple[LoneHost, Instance]:
    lone, server = LoneHost(), make_instance(host=NAME, vm_state=vm_state, block_devices=())
    lone.driver.create_disks(CTXT, server)
    lone.driver.spawn(server, ())
    return lone, server


class Images:
    """One image, or none."""

    def __init__(self, status: str | None) -> None:
        self.status = status

    def get(self, ctxt: Any, image_id: str) -> ImageMeta:
        if self.status is None:
            raise exception.ImageNotFound(image_id=image_id)
        return ImageMeta(id=image_id, status=self.status)


def _shelved(image_status: str | None = "active", **memory: str) -> tuple[LoneHost, Instance]:
    """On its host's shelf, with its guest off; ``memory`` is what the server knows of that."""
    lone, server = _booted("shelved")
    images: Any = Images(image_status)
    lone.host = replace(lone.host, image=images)
    lone.driver.power_off(server, 0)
    return lone, server.replace(system_metadata={"shelved_at": "now", **(memory or {"shelved_image_id": "image"})})


def test_what_was_shelved_before_the_crash_only_leaves_its_host() -> None:
    lone, server = _shelved()
    shelve(lone.host, CTXT, operation("shelve", server, ["shelved"], image_id="image", offload=True), server)
    assert lone.is_empty() and lone.conductor.verbs()[-1] == "finish_operation"
    assert "snapshot" not in {call for call, _ in lone.driver.plan.calls}
    assert not any("shelved" in each for each in lone.conductor.told), "it is not written down again"


def test_an_offloading_is_tried_until_nothing_is_left() -> None:
    lone, server = _shelved()
    lone.driver.plan.add(FaultRule("destroy", FaultKind.RAISE, times=1))
    for verb in ("put_down", "finish_operation"):
        shelve_offload(lone.host, CTXT, operation("shelveOffload", server), server)
        assert lone.conductor.verbs()[-1] == verb
    assert lone.is_empty()


def test_who_was_overtaken_ends_nothing() -> None:
    lone, server = _shelved()
    lone.conductor.refuses = {"finish_operation"}
    with pytest.raises(exception.StaleWrite):
        shelve_offload(lone.host, CTXT, operation("shelveOffload", server), server)


@pytest.mark.parametrize(
    ("status", "runs", "why"),
    [(None, False, "is gone"), ("queued", False, "is queued"), ("active", True, "guest runs")],
)
@pytest.mark.parametrize("verb", [shelve, shelve_offload])
def test_a_disk_that_is_nowhere_else_stays(verb: Any, status: str | None, runs: bool, why: str) -> None:
    """Its image was removed, or never became whole; or the guest has run since."""
    lone, server = _booted("shelved")
    server = server.replace(system_metadata={"shelved_at": "now", "shelved_image_id": "image"})
    images: Any = Images(status)
    lone.host = replace(lone.host, image=images)
    if not runs:
        lone.driver.power_off(server, 0)
    work = operation("shelve", server, ["shelved"], offload=True, image_id="image")
    verb(lone.host, CTXT, work if verb is shelve else operation("shelveOffload", server), server)
    assert lone.conductor.verbs()[-1] == "fail_operation" and why in str(lone.conductor.told[-1])
    assert (lone.driver.disks, [*lone.driver.guests]) == ({server.uuid}, [server.uuid])
    lone.driver.disks.clear()
    lone.driver.power_off(server, 0)
    shelve_offload(lone.host, CTXT, operation("shelveOffload", server), server)
    assert lone.conductor.verbs()[-1] == "finish_operation", "what is not here cannot be lost"


def test_a_disk_that_has_no_image_stays() -> None:
    lone, server = _shelved(None, shelved_host=NAME)
    shelve_offload(lone.host, CTXT, operation("shelveOffload", server), server)
    assert lone.conductor.verbs()[-1] == "fail_operation" and lone.driver.disks == {server.uuid}


def test_an_image_that_was_given_up_is_not_taken_for_the_disk_of_now() -> None:
    """The image service's answer was lost; the guest was woken, and the daemon died before anybody heard of it."""
    lone, server = _booted("active")
    images: Any = Images("active")
    lone.host = replace(lone.host, image=images)
    lone.driver.plan.add(FaultRule("power_off", FaultKind.RAISE, times=1))
    lone.conductor.refuses = {"fail_operation"}
    work = operation("shelve", server, image_id="image", offload=True)
    with pytest.raises(exception.StaleWrite):
        shelve(lone.host, CTXT, work, server)
    (given_up,) = [each for each in lone.conductor.told if each[0] == "progress"]
    assert given_up[-1]["vm_state"] == "active" and lone.driver.power_state(server) == 1
    lone.conductor.refuses = set()
    shelve(lone.host, CTXT, work.replace(steps=(given_up[3],)), server)
    assert lone.conductor.verbs()[-1] == "fail_operation" and lone.driver.power_state(server) == 1
    assert lone.driver.disks == {server.uuid}


@pytest.mark.parametrize(("vm_state", "power_state"), [("active", 1), ("paused", 3)])
def test_a_shelving_that_was_given_up_wakes_its_guest(vm_state: str, power_state: int) -> None:
    lone, server = _booted(vm_state)
    lone.driver.power_off(server, 0)
    work = operation("shelve", server, stage="undo", failure="Too late.", image_id="image", offload=True)
    shelve(lone.host, CTXT, work, server)
    assert lone.conductor.told[-1][0] == "fail_operation" and "Too late." in lone.conductor.told[-1]
    assert lone.driver.power_state(server) == power_state and lone.driver.disks == {server.uuid}
