"""What a server remembers of its shelf: for as long as its image may be all there is of it, and no longer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.compute import acceptance, actions
from nova_lite.compute.power_states import PowerState
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor import journal, shelf
from nova_lite.conductor.tasks import recover
from nova_lite.conductor.tasks.offload import OffloadTask
from nova_lite.context import admin_context
from nova_lite.db.api import compute_nodes, instances, operations, provisional_images
from nova_lite.objects import ImageMeta, Instance, Operation, OperationState
from tests.harness import clocks
from tests.harness.builders import make_node, uuid_of
from tests.harness.database import fresh_database, make_instance

SHELF = {"shelved_at": "2026-11-20T10:00:00", "shelved_image_id": "image", "shelved_host": "a"}


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    with fresh_database():
        for host in ("a", "b"):
            compute_nodes.upsert(make_node(host))
        yield


def _shelved(**values: Any) -> Instance:
    defaults = {"host": "a", "node": "a", "vm_state": "shelved", "generation": 1, "system_metadata": SHELF}
    return instances.insert(make_instance(**{**defaults, **values}))


def _working(server: Instance, action: str, **args: Any) -> Operation:
    host = server.host
    number = operations.insert_pending(
        request_id="r", instance_uuid=server.uuid, action=action, project_id="p", user_id="u",
        topic="conductor" if host is None else "compute", host=host, args=args, timeout_s=9,
    )  # fmt: skip
    taken = operations.take(number, "me", 9, "conductor" if host is None else "compute", host)
    assert taken is not None
    return taken


def _reset(server: Instance, vm_state: VmState = VmState.ACTIVE) -> None:
    acceptance.at_once(admin_context(), server, actions.RESET_STATE, {"vm_state": vm_state, "task_state": None})


@pytest.mark.parametrize(
    ("vm_state", "action", "args", "ends"),
    [
        ("soft-delete", "restore", {}, "active"),
        ("error", "reboot", {"type": "HARD"}, "active"),
        ("error", "stop", {}, "stopped"),
        ("error", "rescue", {}, "rescued"),
    ],
)
def test_a_server_that_works_with_its_disk_again_is_on_no_shelf(
    vm_state: str, action: str, args: dict[str, Any], ends: str
) -> None:
    """A later reset to active put it back there, and the chore removed the disk that it had worked with."""
    server = _shelved(vm_state=vm_state)
    operation = _working(server, action, **args)
    journal.finish(operation.id, operation.attempt, PowerState.RUNNING, {})
    row = instances.get(server.uuid)
    assert (row.vm_state, row.system_metadata) == (ends, {})
    assert [each.image_id for each in provisional_images.due()] == ["image"]
    _reset(row)
    assert instances.get(server.uuid).vm_state == VmState.ACTIVE


def test_a_server_that_was_built_elsewhere_keeps_the_image_that_it_was_shelved_in() -> None:
    server = _shelved(vm_state="error")
    sent = {"dest": "b", "dest_node": "b", "generation": 3, "stopped": False}
    operation = _working(server, "evacuate", stage="rebuild", **sent)
    journal.finish(operation.id, operation.attempt, PowerState.RUNNING, {})
    assert (instances.get(server.uuid).host, instances.get(server.uuid).system_metadata) == ("b", SHELF)
    operation = _working(instances.get(server.uuid), "reboot", type="HARD")
    journal.finish(operation.id, operation.attempt, PowerState.RUNNING, {})
    assert instances.get(server.uuid).system_metadata == SHELF and provisional_images.list_all() == []


class Compute:
    """Hears who is to be woken."""

    def __init__(self) -> None:
        self.woken: list[int] = []

    def run_operation(self, ctxt: Any, host: str, operation_id: int) -> None:
        self.woken.append(operation_id)


def test_the_chore_sees_every_server_that_is_due_however_many_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "_BATCH", 2)
    compute: Any = Compute()
    due = _shelved()
    now = {**SHELF, "shelved_at": utcnow().isoformat()}
    for number in range(5):
        _shelved(uuid=uuid_of(f"later-{number}"), system_metadata=now)
    shelf.clear(compute, 3600)
    assert len(compute.woken) == 1 and instances.get(due.uuid).task_state == "shelving_offloading"


def test_the_chore_asks_a_host_once_that_may_not_let_go() -> None:
    """The disk there is the only one: somebody has to look, and each round would refuse it anew."""
    compute: Any = Compute()
    server = _shelved()
    shelf.clear(compute, 0)
    taken = operations.take(compute.woken[0], "me", 9, "compute", "a")
    assert taken is not None
    journal.fail(taken.id, taken.attempt, "Image image is unacceptable: it is gone.", "", 400)
    assert instances.get(server.uuid).vm_state == VmState.SHELVED
    shelf.clear(compute, 0)
    assert len(compute.woken) == 1
    _reset(instances.get(server.uuid))
    shelf.clear(compute, 0)
    assert len(compute.woken) == 2, "somebody has looked"


@pytest.mark.parametrize(("vm_state", "ends"), [("active", "active"), ("stopped", "active"), ("error", "shelved")])
def test_a_reset_puts_nothing_on_the_shelf_that_worked_before(vm_state: str, ends: str) -> None:
    """Rows of before: they work, and remember their shelf."""
    server = _shelved(vm_state=vm_state)
    _reset(server)
    assert instances.get(server.uuid).vm_state == ends


class Images:
    """What the image service says of any image."""

    def __init__(self, answer: str | exception.NovaLiteError) -> None:
        self.answer = answer

    def get(self, ctxt: Any, image_id: str) -> ImageMeta:
        if isinstance(self.answer, exception.NovaLiteError):
            raise self.answer
        return ImageMeta(id=image_id, status=self.answer)


@pytest.mark.parametrize(
    ("answer", "ends", "vm_state"),
    [
        ("active", OperationState.DONE, "shelved_offloaded"),
        ("queued", OperationState.FAILED, "shelved"),
        (exception.ImageNotFound(image_id="image"), OperationState.FAILED, "shelved"),
        (exception.Unavailable("not now"), OperationState.PENDING, "shelved"),
    ],
)
def test_a_server_leaves_a_dead_host_only_if_its_image_is_whole(
    answer: Any, ends: OperationState, vm_state: str
) -> None:
    server = _shelved(task_state="shelving_offloading")
    images: Any = Images(answer)
    number = _working(server, "shelveOffload").id
    assert recover.host_down(operations.get(number), 3) == number
    taken = operations.take(number, "me", 9, "conductor", None)
    assert taken is not None
    OffloadTask(images).execute(admin_context(), taken)
    row, found = instances.get(server.uuid), operations.get(number)
    assert (found.state, row.vm_state) == (ends, vm_state)
    settles = [each.args["left"] for each in operations.open_for_instance(server.uuid) if each.action == "settle"]
    assert (row.host, row.generation, settles) == ((None, 2, ["a"]) if ends is OperationState.DONE else ("a", 1, []))


@pytest.mark.parametrize(
    ("stage", "vm_state", "left"), [("spawn", "shelved_offloaded", ["a"]), ("start", "shelved", [])]
)
def test_an_unshelving_that_is_ended_while_its_host_builds_leaves_nothing_bound_there(
    stage: str, vm_state: str, left: list[str]
) -> None:
    server = _shelved(vm_state=vm_state, task_state="unshelving")
    recover.cancelled(_working(server, "unshelve", stage=stage))
    row, opened = instances.get(server.uuid), operations.open_for_instance(server.uuid)
    assert [each.args["left"] for each in opened] == left and (row.host is None) is bool(left)
    assert all(each.args["generation"] == row.generation for each in opened)


def test_since_when_a_server_is_on_the_shelf_is_said_by_the_one_clock() -> None:
    """A host's may be wrong, and its server would leave it at once, or never."""
    with clocks.ahead(hours=2):
        server = _shelved(system_metadata={**SHELF, "shelved_at": utcnow().isoformat()}, task_state="shelving")
        operation = _working(server, "shelve", offload=False, image_id=None)
        journal.finish(operation.id, operation.attempt, PowerState.SHUTDOWN, {})
        compute: Any = Compute()
        shelf.clear(compute, 3600)
        assert compute.woken == []
    since = instances.get(server.uuid).system_metadata["shelved_at"]
    assert since <= utcnow().isoformat()
    with clocks.later(hours=2):
        shelf.clear(compute, 3600)
    assert len(compute.woken) == 1


@pytest.mark.parametrize(
    ("vm_state", "begun", "wakes"),
    [("active", True, True), ("active", False, False), ("stopped", True, False), ("shelved", True, False)],
)
def test_a_shelving_past_its_deadline_is_its_hosts_to_take_back(vm_state: str, begun: bool, wakes: bool) -> None:
    """The host stopped the guest, and nobody woke it."""
    server = instances.insert(make_instance(host="a", node="a", vm_state=vm_state, task_state="shelving"))
    number = operations.insert_pending(
        request_id="r", instance_uuid=server.uuid, action="shelve", project_id="p", user_id="u", topic="compute",
        host="a", args={"image_id": "image", "offload": False}, timeout_s=9,
    )  # fmt: skip
    if begun:
        assert operations.take(number, "me", 9, "compute", "a") is not None
    recover.time_is_up(operations.get(number))
    found = operations.get(number)
    assert (found.finish_time is None) is wakes
    if wakes:
        assert (found.state, found.host, found.args["stage"]) == (OperationState.PENDING, "a", "undo")
        recover.time_is_up(found)
    assert operations.get(number).state is OperationState.FAILED
