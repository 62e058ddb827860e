"""What is read to be judged or changed in part is read under a lock, so that SQLite's one writer hides no race.

SQLite has no row locks: what the other databases would be told is read off the statements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.conductor.endings import interfaces, volumes
from nova_lite.db.api import allocations, compute_nodes, instances, operations, quotas, server_groups, services
from nova_lite.db.session import writer
from nova_lite.objects import Instance, Operation, ServerGroup
from tests.harness.builders import make_node, uuid_of
from tests.harness.database import locked_reads, make_instance, statements

pytestmark = pytest.mark.usefixtures("database")
GROUP = uuid_of("group")


def _operation(instance: Instance, **args: Any) -> Operation:
    return operations.get(
        operations.insert_pending(
            request_id="r", instance_uuid=instance.uuid, action="attach_interface", project_id="p", user_id="u",
            topic="compute", host="h", args=args, timeout_s=9,
        )  # fmt: skip
    )


def _quota() -> None:
    quotas.reserve(quotas.PROJECT, "p", {"ram": 1, "cores": 1}, {})


def _quota_given_back() -> None:
    quotas.release(quotas.PROJECT, "p", {"ram": 1})


def _group(act: Callable[[], Any]) -> Callable[[], None]:
    def run() -> None:
        server_groups.create(ServerGroup(uuid=GROUP, project_id="p", user_id="u", name="g", policy="affinity"), {})
        act()

    return run


def _claim_beside() -> None:
    node = compute_nodes.upsert(make_node()).uuid
    assert allocations.claim(node, "i1", 1, 1, 1, beside=())


def _repair() -> None:
    allocations.repair(compute_nodes.upsert(make_node()).uuid)


def _forget_host() -> None:
    compute_nodes.upsert(make_node())
    services.destroy(services.register("host1", "nova-lite-compute", "compute", "e").uuid)


def _interface(gone: bool) -> Callable[[], None]:
    def run() -> None:
        server = instances.insert(make_instance())
        if gone:
            interfaces.detached(_operation(server, port_id="p"), server, {})
        else:
            interfaces.attached(_operation(server), server, {"network_info": server.network_info})

    return run


def _volume(gone: bool) -> Callable[[], None]:
    def run() -> None:
        server = instances.insert(make_instance())
        if gone:
            volumes.detached(_operation(server, bdm_uuid="b"), server, {})
        else:
            volumes.changed(_operation(server), server, {"block_devices": server.block_devices[:1]})

    return run


@pytest.mark.parametrize(("act", "tables"), [
    (_quota, {"quota_usages"}),
    (_quota_given_back, {"quota_usages"}),
    (_group(lambda: server_groups.admit(GROUP, "u", 1, {"server_group_members": 9})), {"server_groups"}),
    (_group(lambda: server_groups.may_stand(GROUP, "i1", "host1")), {"server_groups"}),
    (_group(lambda: server_groups.destroy(GROUP)), {"server_groups", "quota_usages"}),
    (_claim_beside, {"instances"}),
    (_repair, {"compute_nodes"}),
    (_forget_host, {"services", "compute_nodes"}),
    (_interface(gone=False), {"instances"}),
    (_interface(gone=True), {"instances"}),
    (_volume(gone=False), {"instances"}),
    (_volume(gone=True), {"instances"}),
], ids=[
    "quota", "quota given back", "group lets in", "group's policy", "group ends", "claim beside others", "books",
    "host ends", "interface comes", "interface goes", "volume comes", "volume goes",
])  # fmt: skip
def test_it_is_read_under_its_lock(act: Callable[[], None], tables: set[str]) -> None:
    with locked_reads() as seen:
        act()
    assert {table for table, _ in seen} >= tables


def test_an_end_that_is_said_again_waits_for_the_first() -> None:
    number = _operation(instances.insert(make_instance())).id
    with locked_reads() as seen:
        operations.ended_by(number, 0)
    assert [table for table, _ in seen] == ["operations"]


def test_guard_rows_are_locked_in_one_order() -> None:
    with locked_reads() as seen:
        _quota()
    assert seen and all("ORDER BY quota_usages.resource" in statement for _, statement in seen)


def test_nodes_are_booked_in_one_order() -> None:
    """Two that give claims of the same nodes back wait for each other in a queue, not in a ring."""
    for name in ("a", "b"):
        assert allocations.claim(compute_nodes.upsert(make_node(name)).uuid, "i1", 1, 1, 1)
    with statements() as seen:
        assert allocations.release("i1") == 2
    assert "ORDER BY allocations.node_uuid" in " ".join(seen[0].split())


def test_what_is_locked_is_gone_for_a_deleted_server() -> None:
    server = instances.insert(make_instance())
    assert instances.tombstone(server.uuid)
    with writer(), pytest.raises(exception.InstanceNotFound):
        instances.locked(server.uuid)
