"""Requests and workers at one edge, as transactions: what each database must get right, written once.

The storage-level core of tests/faults/test_races_*.py, for SQLite, MariaDB and PostgreSQL alike.
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.compute import acceptance, actions
from nova_lite.compute import moves as accepted_moves
from nova_lite.compute.task_states import TaskState
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor import journal
from nova_lite.conductor.tasks.build import _assign
from nova_lite.context import admin_context
from nova_lite.db.api import (
    allocations,
    compute_nodes,
    instances,
    keypairs,
    migrations,
    operations,
    quotas,
    server_groups,
)
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import (
    Diagnosis,
    Instance,
    KeyPair,
    Migration,
    MigrationStatus,
    MigrationType,
    OperationState,
    Placement,
    Selection,
    ServerGroup,
)
from nova_lite.objects.server_group import MOST_PER_HOST
from nova_lite.scheduler.database import DatabasePlanner
from nova_lite.scheduler.host_state import make
from tests.harness import races
from tests.harness.builders import make_node, make_spec, uuid_of
from tests.harness.database import make_instance
from tests.harness.races import RUNNERS, at_once

LEASE_S = 60.0
NO_LIMITS = {"instances": -1, "cores": -1, "ram": -1}


def _counted(name: str, **values: Any) -> Instance:
    """A server that is there, and counted."""
    with writer():
        quotas.reserve(quotas.PROJECT, "project", {"instances": 1, "cores": 1, "ram": 512}, NO_LIMITS)
        return instances.insert(make_instance(name, **values))


def _operation(
    server: Instance, row: actions.Action, topic: str = "conductor", host: str | None = None, **args: Any
) -> int:
    return operations.insert_pending(
        request_id=f"req-{row.name}", instance_uuid=server.uuid, action=row.name, project_id="project",
        user_id="user", topic=topic, host=host, args=args, timeout_s=600,
    )  # fmt: skip


# -- edges ----------------------------------------------------------------------------------------------------------


def the_last_place_or_elsewhere() -> None:
    """One place on the first host, three on the second: of sixteen who begin with the first four get one."""
    hosts = [
        make(compute_nodes.upsert(make_node(name, vcpus=room, cpu_allocation_ratio=1.0)), "nova", None)
        for name, room in (("full", 1), ("half", 3))
    ]
    planner = DatabasePlanner()
    for number in range(RUNNERS):
        instances.insert(make_instance(f"vm{number}"))

    def place(number: int) -> str:
        spec = make_spec(f"vm{number}")
        return next((host.host for host in hosts if planner.claim(host, spec, ())), "none")

    assert at_once(place) == {"full": 1, "half": 3, "none": RUNNERS - 4}
    assert allocations.audit() == []


def cores_and_ram_at_the_edge() -> None:
    """Whichever of two limits is reached first holds, and nobody counts the other for nothing."""

    @retry_on_deadlock
    def reserve(number: int) -> str:
        deltas = {"instances": 1, "cores": 2 if number % 2 else 1, "ram": 512}
        with writer():
            quotas.reserve(quotas.PROJECT, "project", deltas, {"instances": -1, "cores": 9, "ram": 3600})
        return str(deltas["cores"])

    got = at_once(reserve)
    cores, number = got["1"] + 2 * got["2"], got["1"] + got["2"]
    assert cores <= 9 and number * 512 <= 3600
    assert cores in (8, 9) or number == 7, "there was room for one more"
    assert quotas.usage(quotas.PROJECT, "project") == {"instances": number, "cores": cores, "ram": 512 * number}


def keys_and_groups_at_the_edge() -> None:
    """Sixteen of each are asked for, five allowed."""
    keys = at_once(lambda number: bool(keypairs.create(KeyPair(f"k{number}", "u", "aa", "ssh-rsa"), 5)))
    groups = at_once(
        lambda number: server_groups.create(
            ServerGroup(uuid_of(f"g{number}"), "project", "user", "g", "affinity", {}), {server_groups.RESOURCE: 5}
        )
    )
    assert keys == {"True": 5, "OverQuota": RUNNERS - 5}
    assert groups == {"None": 5, "OverQuota": RUNNERS - 5}
    assert len(server_groups.list("project", 100)) == 5
    assert quotas.audit() == []


def evacuated_at_once() -> None:
    """Members of an anti-affinity group leave their dead hosts for the one that is free: one gets it."""
    nodes = [compute_nodes.upsert(make_node(f"host{number}")) for number in range(RUNNERS + 1)]
    group = uuid_of("group")
    server_groups.create(ServerGroup(group, "project", "user", "g", "anti-affinity", {MOST_PER_HOST: 1}), {})
    for number in range(RUNNERS):
        instances.insert(make_instance(f"m{number}", server_group=group))
        assert allocations.claim(nodes[number].uuid, uuid_of(f"instance m{number}"), 1, 10, 1)
    free, planner = make(nodes[RUNNERS], "nova", None), DatabasePlanner()

    def leave(number: int) -> bool:
        uuid = uuid_of(f"instance m{number}")
        spec = make_spec(f"m{number}", group=server_groups.rule(group, besides=uuid))
        return planner.claim(free, spec, [nodes[number].uuid])

    assert at_once(leave) == {"True": 1, "False": RUNNERS - 1}
    assert len(allocations.list(free.node_uuid)) == 1


def reports_against_claims() -> None:
    """A host says what it has, on and on, while servers claim and give back: no claim is lost (R32)."""
    node = compute_nodes.upsert(make_node())
    numbers = itertools.count()

    def work(number: int) -> str:
        for _ in range(6):
            if number % 2:
                compute_nodes.upsert(node.replace(running_vms=next(numbers), vcpus_used=0, memory_mb_used=0))
            else:
                assert allocations.claim(node.uuid, f"i{number}", 1, 10, 1)
                assert allocations.release(f"i{number}") == 1
                assert allocations.claim(node.uuid, f"i{number}", 2, 20, 1)
        return "done"

    assert at_once(work) == {"done": RUNNERS}
    assert allocations.audit() == []
    assert compute_nodes.get(node.uuid).vcpus_used == RUNNERS


# -- two of one server ----------------------------------------------------------------------------------------------


def one_taker() -> None:
    """Sixteen workers are woken for one operation: one takes it, and only its word counts."""
    server = instances.insert(make_instance(task_state=TaskState.PAUSING))
    number = _operation(server, actions.PAUSE, "compute", "host1")
    attempts: list[int] = []

    def take(worker: int) -> bool:
        operation = operations.take(number, f"worker:{worker}", LEASE_S, "compute", "host1")
        attempts.extend([operation.attempt] if operation else [])
        return operation is not None

    assert at_once(take) == {"True": 1, "False": RUNNERS - 1}
    ended = at_once(lambda turn: operations.finish(number, attempts[0] + turn % 2, OperationState.DONE))
    assert ended == {"None": 1, "StaleWrite": RUNNERS - 1}


def one_delete() -> None:
    """Sixteen deletes of one server make one operation; sixteen ends of it give its quota back once."""
    server = _counted("vm", host=None)
    ctxt = admin_context()
    accepted = at_once(lambda _: acceptance.delete(ctxt, server, actions.DELETE, frozenset()) is not None)
    assert accepted == {"True": 1, "False": RUNNERS - 1}
    (operation,) = operations.open_for_instance(server.uuid)
    taken = operations.take(operation.id, "worker", LEASE_S, "conductor", None)
    assert taken is not None
    assert set(at_once(lambda _: journal.finish_delete(taken.id, taken.attempt))) == {"None"}
    assert quotas.usage(quotas.PROJECT, "project") == {"instances": 0, "cores": 0, "ram": 0}
    assert quotas.audit() == []


def said_twice_at_once() -> None:
    """A host says that it is done, or that another's turn has come, and says it again before the answer: no harm."""
    server = instances.insert(make_instance(host="host1", launched_at=utcnow(), task_state=TaskState.PAUSING))
    taken = journal.take(_operation(server, actions.PAUSE, "compute", "host1"), "worker", LEASE_S, "host1")
    assert taken is not None
    number, attempt = taken[0].id, taken[0].attempt
    assert at_once(lambda _: journal.finish(number, attempt, 3, {})) == {"None": RUNNERS}
    assert instances.get(server.uuid).vm_state == VmState.PAUSED
    moving = _operation(server, actions.REVERT_RESIZE, "compute", "host1")
    taken = journal.take(moving, "worker", LEASE_S, "host1")
    assert taken is not None
    attempt = taken[0].attempt
    assert at_once(lambda _: journal.hand_over(moving, attempt, "finish", "host2", {}, {})) == {"None": RUNNERS}
    assert operations.get(moving).host == "host2"


def build_or_delete() -> None:
    """A conductor writes down the host of a build while a delete is accepted: the delete has the last word."""
    node = compute_nodes.upsert(make_node())
    values = {"host": None, "node": None, "vm_state": VmState.BUILDING, "task_state": TaskState.SCHEDULING}
    servers = [_counted(f"vm{number}", **values) for number in range(RUNNERS // 2)]
    ctxt, chosen = admin_context(), Selection("host1", "host1", node.uuid)
    builds = [_operation(server, actions.CREATE) for server in servers]

    def build(number: int) -> str:
        operation = operations.take(builds[number], "builder", LEASE_S, "conductor", None)
        if operation is None:
            return "never begun"
        assert allocations.claim(node.uuid, servers[number].uuid, 1, 512, 1)
        placement = Placement(servers[number].uuid, (chosen,), Diagnosis())
        _assign(operation, servers[number], chosen, placement)
        return "assigned"

    def work(turn: int) -> str:
        number = turn // 2
        if turn % 2:
            return build(number)
        return "accepted" if acceptance.delete(ctxt, servers[number], actions.DELETE, frozenset()) else "twice"

    outcomes = at_once(work)
    assert outcomes["accepted"] == len(servers)
    assert set(outcomes) <= {"accepted", "assigned", "never begun", "StaleWrite"}, outcomes
    for server in servers:
        (left,) = operations.open_for_instance(server.uuid)
        assert left.action == actions.DELETE.name
        # where the delete came first, it is a conductor's; else it is the host's that the build got
        assert left.host == instances.get(server.uuid).host
        taken = operations.take(left.id, "deleter", LEASE_S, left.topic, left.host)
        assert taken is not None
        journal.finish_delete(taken.id, taken.attempt)
    allocations.release_orphans()
    assert (allocations.list(), allocations.audit(), quotas.audit()) == ([], [], [])


def confirm_or_revert() -> None:
    """Eight confirm a resize and eight revert it: one word is taken."""
    values = {"host": "host2", "node": "host2", "vm_state": VmState.RESIZED, "launched_at": utcnow()}
    server = instances.insert(make_instance(**values))
    began = _operation(server, actions.RESIZE, old={}, new={}, power_on=True)
    operations.end_open(server.uuid, "resized")
    migrations.create(
        Migration(
            uuid=uuid_of("move"), instance_uuid=server.uuid, migration_type=MigrationType.RESIZE, operation_id=began,
            status=MigrationStatus.FINISHED, source_compute="host1", dest_compute="host2",
        )
    )  # fmt: skip
    resized, ctxt = instances.get(server.uuid), admin_context()

    def say(number: int) -> str:
        word = accepted_moves.revert if number % 2 else accepted_moves.confirm
        word(ctxt, resized)
        return "accepted"

    outcomes = at_once(say)
    assert outcomes["accepted"] == 1, outcomes
    assert set(outcomes) <= {"accepted", "Invalid", "InstanceInvalidState"}, outcomes
    assert len(operations.open_for_instance(server.uuid)) == 1


def one_of_two_actions() -> None:
    """Pause, stop and resize want one idle server, in threes and fours: one is accepted, with its operation."""
    server, ctxt = instances.insert(make_instance(host="host1", launched_at=utcnow())), admin_context()
    rows = (actions.PAUSE, actions.STOP, actions.RESIZE)
    outcomes = at_once(lambda number: len(acceptance.action(ctxt, server, rows[number % 3], {})))
    assert outcomes == Counter({"2": 1, exception.InstanceInvalidState.__name__: RUNNERS - 1})
    (operation,) = operations.open_for_instance(server.uuid)
    assert instances.get(server.uuid).task_state == actions.by_name(operation.action).sets_task


RACES = (
    *races.RACES, the_last_place_or_elsewhere, cores_and_ram_at_the_edge, keys_and_groups_at_the_edge,
    evacuated_at_once, reports_against_claims, one_taker, one_delete, said_twice_at_once, build_or_delete,
    confirm_or_revert, one_of_two_actions,
)  # fmt: skip
