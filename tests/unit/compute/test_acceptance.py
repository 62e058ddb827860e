"""Accepting a request: one transaction, judged by what the database says now; what is refused leaves no trace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import conf as nova_conf
from nova_lite import exception, quota
from nova_lite.clock import utcnow
from nova_lite.compute import acceptance, actions
from nova_lite.conductor import moves
from nova_lite.context import RequestContext
from nova_lite.db.api import compute_nodes, instances, migrations, operations, quotas, server_groups
from nova_lite.objects import Instance, MigrationType, OperationState, ServerGroup
from nova_lite.objects.flavor import quota_counts
from tests.harness.builders import make_node, uuid_of
from tests.harness.database import fresh_database, make_instance

CTXT = RequestContext(user_id="user", project_id="project")


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    nova_conf.register_all()
    nova_conf.CONF([], project="nova-lite", default_config_files=[], default_config_dirs=[])
    with fresh_database():
        for host in ("a", "b"):
            compute_nodes.upsert(make_node(host))
        yield


def _server(name: str = "vm", **values: Any) -> Instance:
    """An active server on host a, which counts."""
    defaults = {"host": "a", "node": "a", "task_state": None, "launched_at": utcnow()}
    instance = instances.insert(make_instance(name, **{**defaults, **values}))
    if quota.counts(instance):
        quota.reserve("project", quota_counts([instance.flavor]))
    return instance


def _open(uuid: str) -> list[str]:
    return [operation.action for operation in operations.open_for_instance(uuid)]


def _accept(instance: Instance, row: actions.Action = actions.STOP, **more: Any) -> int:
    return acceptance.action(CTXT, instance, row, {}, **more)[0]


def _delete(instance: Instance, row: actions.Action = actions.DELETE, dead: frozenset[str] = frozenset()) -> Any:
    return acceptance.delete(CTXT, instance, row, dead)


# -- actions --------------------------------------------------------------------------------------


def test_the_second_of_two_is_refused_and_leaves_nothing() -> None:
    """Both were read before either was accepted."""
    server = _server()
    _accept(server)
    with pytest.raises(exception.InstanceInvalidState, match="powering-off"):
        _accept(server, actions.PAUSE)
    assert _open(server.uuid) == ["stop"] and instances.get(server.uuid).task_state == "powering-off"


def test_the_state_is_what_the_database_says_now() -> None:
    server = _server()
    instances.update_if(server.uuid, {"vm_state": "paused"})
    with pytest.raises(exception.InstanceInvalidState, match="paused"):
        _accept(server)
    assert _open(server.uuid) == [] and instances.get(server.uuid).task_state is None


def test_what_lost_its_race_is_not_accepted_though_it_would_be_right_by_now(monkeypatch: pytest.MonkeyPatch) -> None:
    server = _server()
    monkeypatch.setattr(instances, "update_if", lambda *args, **kwargs: False)
    with pytest.raises(exception.StaleWrite):
        _accept(server)
    assert _open(server.uuid) == []


def test_what_fails_with_it_undoes_it() -> None:
    server = _server()

    def refuse(operation_id: int) -> None:
        raise exception.Invalid("no")

    with pytest.raises(exception.Invalid):
        _accept(server, also=refuse)
    assert _open(server.uuid) == [] and instances.get(server.uuid).task_state is None


def test_a_reboot_supersedes_what_is_in_its_way_and_not_what_runs_beside() -> None:
    server = _server()
    _accept(server, actions.REBOOT_SOFT)
    with_volume = operations.insert_pending(
        request_id="r", instance_uuid=server.uuid, action="attach_volume", project_id="p", user_id="u",
        topic="compute", host="a", args={}, timeout_s=9,
    )  # fmt: skip
    hard = _accept(server, actions.REBOOT_HARD)
    assert [each.id for each in operations.open_for_instance(server.uuid)] == [with_volume, hard]


# -- deletes --------------------------------------------------------------------------------------


def test_a_delete_ends_what_runs() -> None:
    server = _server()
    stop = _accept(server)
    assert _delete(server) is not None
    assert _open(server.uuid) == ["delete"] and instances.get(server.uuid).task_state == "deleting"
    assert operations.get(stop).state is OperationState.FAILED


def test_a_delete_is_accepted_once() -> None:
    server = _server()
    assert _delete(server) is not None
    assert _delete(server) is None and _delete(server, actions.FORCE_DELETE) is None
    assert _open(server.uuid) == ["delete"]


def test_nothing_supersedes_a_delete() -> None:
    server = _server()
    _delete(server)
    for row in (actions.EVACUATE, actions.REBOOT_HARD):
        with pytest.raises(exception.InstanceInvalidState, match="deleting"):
            _accept(server, row)
    acceptance.at_once(CTXT, server, actions.RESET_STATE, {"vm_state": "active", "task_state": None})
    assert _open(server.uuid) == ["delete"] and instances.get(server.uuid).task_state == "deleting"


def test_a_delete_does_not_wait_for_a_dead_host() -> None:
    server = _server()
    number, host = _delete(server, dead=frozenset({"a"}))
    assert (host, operations.get(number).topic) == (None, "conductor")


@pytest.mark.parametrize(
    ("left", "row"),
    [({}, actions.SOFT_DELETE), ({"host": None}, actions.DELETE), ({"launched_at": None}, actions.DELETE)],
)
def test_what_can_be_restored_is_deleted_softly(left: dict[str, Any], row: actions.Action) -> None:
    server = _server(**left)
    _delete(server, actions.SOFT_DELETE)
    assert _open(server.uuid) == [row.name] and instances.get(server.uuid).task_state == row.sets_task


def test_what_began_to_move_meanwhile_is_deleted_for_good() -> None:
    """The caller's picture is older than the move: only the transaction knows."""
    server = _server()
    number, _ = acceptance.action(CTXT, server, actions.MIGRATE, {})
    moves.begin(operations.get(number), server, MigrationType.MIGRATION)
    _delete(server, actions.SOFT_DELETE)
    assert _open(server.uuid) == ["delete"] and instances.get(server.uuid).task_state == "deleting"


@pytest.mark.parametrize(
    ("busy", "state", "row"),
    [
        (actions.REBUILD, "active", actions.DELETE),
        (actions.SHELVE, "shelved", actions.DELETE),
        (actions.SHELVE, "active", actions.SOFT_DELETE),
        (actions.SHELVE_OFFLOAD, "shelved", actions.DELETE),
        (actions.UNSHELVE, "shelved_offloaded", actions.DELETE),
        (actions.UNSHELVE, "shelved", actions.SOFT_DELETE),
        (actions.STOP, "active", actions.SOFT_DELETE),
    ],
)
def test_what_is_half_made_is_deleted_for_good(busy: actions.Action, state: str, row: actions.Action) -> None:
    """There may be neither guest nor disks to be restored."""
    server = _server(vm_state=next(iter(busy.vm_states)))
    _accept(server, busy)
    instances.update_if(server.uuid, {"vm_state": state})
    _delete(server, actions.SOFT_DELETE)
    assert _open(server.uuid) == [row.name] and instances.get(server.uuid).task_state == row.sets_task


def test_a_delete_goes_to_every_host_that_keeps_something() -> None:
    server = _server()
    number, _ = acceptance.action(CTXT, server, actions.MIGRATE, {})
    move = moves.begin(operations.get(number), server, MigrationType.MIGRATION)
    assert moves.plan(move, "b", "b")
    accepted, host = _delete(server)
    assert (host, operations.get(accepted).args["also"]) == ("a", ["b"])


def test_a_delete_that_overtakes_a_restore_gives_its_quota_back() -> None:
    server = _server(vm_state="soft-delete")

    def count(operation_id: int) -> None:
        quota.reserve("project", quota_counts([server.flavor]))

    _accept(server, actions.RESTORE, also=count)
    assert quotas.audit() == []
    _delete(server)
    assert quota.usage("project")["instances"] == 0


# -- what the API does by itself ------------------------------------------------------------------


def test_a_reset_of_a_soft_deleted_server_counts_it_again() -> None:
    server = _server(vm_state="soft-delete")
    acceptance.at_once(CTXT, server, actions.RESET_STATE, {"vm_state": "active", "task_state": None})
    assert quota.usage("project")["instances"] == 1 and quotas.audit() == []


def test_a_reset_gives_up_the_move() -> None:
    server = _server()
    number, _ = acceptance.action(CTXT, server, actions.MIGRATE, {})
    move = moves.begin(operations.get(number), server, MigrationType.MIGRATION)
    acceptance.at_once(CTXT, server, actions.RESET_STATE, {"vm_state": "active", "task_state": None})
    assert not migrations.get(move.uuid).is_open and _open(server.uuid) == []


# -- creations ------------------------------------------------------------------------------------


def _create(*servers: Instance, **more: Any) -> list[int]:
    return acceptance.create(CTXT, [(server, {}) for server in servers], **more)


def test_what_is_created_counts_and_what_is_too_much_is_not_there() -> None:
    quotas.set_limit("project", "instances", 2)
    _create(make_instance("one"), make_instance("two"))
    with pytest.raises(exception.OverQuota):
        _create(make_instance("three"))
    assert instances.count() == 2 and quotas.audit() == []


def test_what_refuses_first_leaves_nothing() -> None:
    def used() -> None:
        raise exception.IdempotencyKeyInUse

    with pytest.raises(exception.IdempotencyKeyInUse):
        _create(make_instance(), first=used)
    assert instances.count() == 0 and quotas.audit() == []


def test_members_of_a_group_are_counted_where_they_are_written() -> None:
    group = ServerGroup(uuid_of("group"), "project", "user", "g", "affinity", {})
    server_groups.create(group, {})
    quotas.set_limit("project", "server_group_members", 1)
    _create(make_instance("one", server_group=group.uuid))
    with pytest.raises(exception.OverQuota):
        _create(make_instance("two", server_group=group.uuid))
    assert instances.count() == 1
