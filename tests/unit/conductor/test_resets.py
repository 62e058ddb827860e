"""What a reset opens for what it gives up: a build's ports and volumes, a cold move's way back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.compute import acceptance, actions
from nova_lite.compute.power_states import PowerState
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor import moves, resets
from nova_lite.conductor.tasks import recover
from nova_lite.context import admin_context
from nova_lite.db.api import allocations, compute_nodes, instances, migrations, operations
from nova_lite.objects import Instance, Migration, MigrationStatus, MigrationType, Operation, Presence
from nova_lite.objects.migration import side
from tests.harness.builders import make_flavor, make_node, uuid_of
from tests.harness.database import fresh_database, make_instance


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    with fresh_database():
        compute_nodes.upsert(make_node("a"))
        yield


def _working(action: str, host: str | None, on: str | None, **args: Any) -> Instance:
    """A server on a host (``on``) that has a claim there, and an operation whose turn is ``host``'s."""
    server = instances.insert(make_instance(host=on, node=on, generation=4, task_state="spawning"))
    assert allocations.claim(compute_nodes.on_host("a")[0].uuid, server.uuid, 1, 64, 0)
    operations.insert_pending(
        request_id="r", instance_uuid=server.uuid, action=action, project_id="p", user_id="u",
        topic="conductor" if host is None else "compute", host=host, args=args, timeout_s=9,
    )  # fmt: skip
    return server


def _reset(server: Instance) -> list[Operation]:
    """What is open afterwards."""
    values = {"vm_state": VmState.ACTIVE, "task_state": None}
    acceptance.at_once(admin_context(), server, actions.RESET_STATE, values)
    return operations.open_for_instance(server.uuid)


@pytest.mark.parametrize(("host", "args"), [("a", {}), (None, {"builds": 1}), (None, {"stage": "undo"})])
def test_a_build_that_a_host_had_begun_leaves_it(host: str | None, args: dict[str, Any]) -> None:
    server = _working("create", host, on=host, **args)
    (settle,) = _reset(server)
    row = instances.get(server.uuid)
    assert (settle.action, settle.topic, settle.args["unbuilt"]) == ("settle", "conductor", True)
    assert (row.host, row.generation, settle.args["generation"]) == (None, 5, 5)
    assert allocations.list() == []


def test_a_build_that_no_host_knew_leaves_nothing_to_be_done() -> None:
    assert _reset(_working("create", None, on=None)) == []
    assert allocations.list() == []


@pytest.mark.parametrize(("stage", "opened"), [(None, 0), ("prep", 0), ("schedule", 0), ("resize", 1), ("finish", 1)])
def test_a_move_that_took_something_along_comes_back(stage: str | None, opened: int) -> None:
    found = _reset(_working("migrate", "a", on="a", stage=stage))
    assert [(each.action, each.host, each.args["back"]) for each in found] == [("settle", "a", True)] * opened


@pytest.mark.parametrize("stage", [None, "finish"])
def test_a_revert_that_is_reset_ends_at_its_source(stage: str | None) -> None:
    small, large = make_flavor("small"), make_flavor("large")
    new = {} if stage is None else {"stage": stage}
    sides = {"old": side("a", "a", "nova", small), "new": side("b", "b", "nova", large)}
    server = _working("revertResize", "b", on="b", **sides, **new)
    migrations.create(
        Migration(
            uuid=uuid_of("move"), instance_uuid=server.uuid, migration_type=MigrationType.RESIZE,
            status=MigrationStatus.REVERTING, source_compute="a", source_node="a", dest_compute="b",
            old_flavor=small, new_flavor=large, user_id="u", project_id="p",
        )
    )  # fmt: skip
    (settle,) = _reset(server)
    row = instances.get(server.uuid)
    assert (row.host, row.generation, row.flavor.name) == ("a", 5, "small")
    assert (settle.host, settle.args["generation"], settle.args["sides"]) == ("a", 5, ["b"])


def test_a_second_reset_ends_none_of_it() -> None:
    server = _working("create", "a", on="a")
    before = _reset(server)
    assert _reset(instances.get(server.uuid)) == before


def test_an_unshelving_that_a_host_had_begun_goes_back_to_the_shelf() -> None:
    """Its ports and volumes are kept, and its host is to let go of them."""
    server = _working("unshelve", "a", on="a", stage="spawn")
    (settle,) = _reset(server)
    row = instances.get(server.uuid)
    assert (settle.action, settle.topic, settle.args["left"]) == ("settle", "conductor", "a")
    assert (row.host, row.generation, settle.args["generation"]) == (None, 5, 5)
    assert allocations.list() == []


def test_an_unshelving_where_the_guest_still_is_stays_there() -> None:
    server = _working("unshelve", "a", on="a", stage="start")
    assert (_reset(server), instances.get(server.uuid).host) == ([], "a")


_ON_ONE = {"old": {"host": "a"}, "new": {"host": "a"}}
_ON_TWO = {"old": {"host": "a"}, "new": {"host": "b"}}
_SENT, _WHY = {"disks": {}}, {"failure": {}}


@pytest.mark.parametrize(
    ("action", "args", "steps", "expected"),
    [
        ("resize", {**_ON_ONE, "stage": "resize"}, (), False),
        ("resize", {**_ON_ONE, "stage": "undo"}, (), False),
        ("resize", {**_ON_ONE, **_SENT, "stage": "finish"}, (), True),
        ("resize", {**_ON_ONE, **_SENT, "stage": "undo"}, (), True),
        ("resize", {**_ON_ONE, **_SENT, "stage": "undo"}, (actions.CLEARED_STEP,), False),
        ("resize", {**_ON_TWO, **_SENT, "stage": "finish"}, (), False),
        ("resize", {}, (), False),
        ("revertResize", _ON_ONE, (), True),
        ("revertResize", {**_ON_ONE, "stage": "finish"}, (), False),
        ("revertResize", {**_ON_ONE, **_WHY, "stage": "finish"}, (), True),
        ("revertResize", {**_ON_ONE, **_WHY, "stage": "finish"}, (actions.CLEARED_STEP,), False),
        ("revertResize", _ON_TWO, (), False),
    ],
)
def test_what_a_move_made_on_its_host_goes_until_something_is_taken_up(
    action: str, args: dict[str, Any], steps: tuple[str, ...], expected: bool
) -> None:
    number = operations.insert_pending(
        request_id="r", instance_uuid=uuid_of("x"), action=action, project_id="p", user_id="u", topic="compute",
        host="a", args=args, timeout_s=9,
    )  # fmt: skip
    assert resets.made_here(operations.get(number).replace(steps=steps)) is expected


@pytest.mark.parametrize(("status", "opened"), [("finished", ["a"]), ("confirming", ["a"]), ("pre-migrating", [])])
@pytest.mark.parametrize("dest", ["a", "b"])
def test_what_a_move_set_aside_goes_after_a_reset_where_its_server_came_to(
    status: str, opened: list[str], dest: str
) -> None:
    server = _resized(MigrationStatus(status), dest)
    found = _reset(server)
    assert [each.args["sides"] for each in found if each.args.get("let_go")] == [opened] * len(opened)
    if opened:
        assert (instances.get(server.uuid).host, instances.get(server.uuid).flavor.name) == (dest, "large")
        assert found[0].host == dest


def test_a_server_in_error_keeps_what_was_set_aside() -> None:
    server = _resized(MigrationStatus.FINISHED, "a")
    acceptance.at_once(admin_context(), server, actions.RESET_STATE, {"vm_state": VmState.ERROR, "task_state": None})
    assert operations.open_for_instance(server.uuid) == []


@pytest.mark.parametrize(
    ("row", "seen", "opened"),
    [
        ({}, {}, 1),
        ({}, {"is_set_aside": False}, 0),
        ({}, {"generation": 3}, 0),
        ({}, {"power_state": None, "generation": None}, 0),
        ({"vm_state": VmState.ERROR}, {}, 0),
        ({"task_state": "resize_prep"}, {}, 0),
        ({"host": "b"}, {}, 0),
    ],
)
def test_a_host_that_looks_around_hears_of_what_is_left_beside_a_guest(
    row: dict[str, Any], seen: dict[str, Any], opened: int
) -> None:
    server = instances.insert(make_instance(host="a", node="a", generation=4))
    instances.update_if(server.uuid, row)
    left = Presence(server.uuid, int(PowerState.RUNNING), 4, has_disks=True, is_set_aside=True).replace(**seen)
    for _ in range(2):
        moves.let_go_beside("a", [left])
    assert [each.args["let_go"] for each in operations.open_for_instance(server.uuid)] == [True] * opened


def test_what_an_open_move_set_aside_is_not_left() -> None:
    server = _resized(MigrationStatus.FINISHED, "a")
    moves.let_go_beside("a", [Presence(server.uuid, int(PowerState.RUNNING), 4, has_disks=True, is_set_aside=True)])
    assert operations.open_for_instance(server.uuid) == []


def _resized(status: MigrationStatus, dest: str) -> Instance:
    """A server that came by a move from a to ``dest``, where it is larger."""
    small, large = make_flavor("small"), make_flavor("large")
    server = instances.insert(make_instance(host=dest, node=dest, generation=4, vm_state="resized", flavor=large))
    migrations.create(
        Migration(
            uuid=uuid_of("move"), instance_uuid=server.uuid, migration_type=MigrationType.RESIZE, status=status,
            source_compute="a", source_node="a", dest_compute=dest, old_flavor=small, new_flavor=large, user_id="u",
            project_id="p",
        )
    )  # fmt: skip
    return server


def test_what_waits_for_a_dead_host_says_so_and_an_operator_may_end_it() -> None:
    """A cold move's way back waited for a day, and nobody was told for what."""
    server = instances.insert(make_instance(host="a", node="a", generation=4, vm_state=VmState.ACTIVE, task_state=None))
    resets.bring_back(server)
    for _ in range(2):
        (settle,) = operations.open_for_instance(server.uuid)
        assert recover.host_down(settle, 3) is None
    (waiting,) = operations.open_for_instance(server.uuid)
    assert str(waiting.message).startswith("Host a is down; this waits for it until 20")
    assert "An operator may end it" in str(waiting.message) and waiting.deadline is not None
    recover.cancelled(waiting)
    assert operations.open_for_instance(server.uuid) == []
    assert operations.get(waiting.id).message == "An operator ended it."
    assert instances.get(server.uuid).vm_state == VmState.ACTIVE
    number = operations.insert_pending(
        request_id="r", instance_uuid=server.uuid, action="detach_volume", project_id="p", user_id="u",
        topic="compute", host="a", args={}, timeout_s=None,
    )  # fmt: skip
    assert recover.host_down(operations.get(number), 3) is None
    assert operations.get(number).message == "Host a is down; this waits for it."
