"""What a reset opens for what it gives up: a build's ports and volumes, a cold move's way back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.compute import acceptance, actions
from nova_lite.compute.vm_states import VmState
from nova_lite.context import admin_context
from nova_lite.db.api import allocations, compute_nodes, instances, migrations, operations
from nova_lite.objects import Instance, Migration, MigrationStatus, MigrationType, Operation
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
