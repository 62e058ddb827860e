"""Daemons register, beat, and are taken out of service."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nova_lite import exception
from nova_lite.db.api import allocations, compute_nodes, instances, migrations, services
from nova_lite.objects import Migration
from tests.harness.builders import make_node, uuid_of
from tests.harness.database import make_instance

pytestmark = pytest.mark.usefixtures("database")


def test_a_restart_keeps_the_row() -> None:
    first = services.register("h", "nova-lite-compute", "compute", "e1", version=1)
    assert (first.epoch, first.version, first.disabled, first.updated_at) == ("e1", 1, False, None)
    services.set_disabled(first.uuid, True, "repair")
    again = services.register("h", "nova-lite-compute", "compute", "e2", version=2)
    assert (again.uuid, again.epoch, again.version) == (first.uuid, "e2", 2)
    assert (again.disabled, again.disabled_reason) == (True, "repair")
    assert again.last_seen_at is not None and first.last_seen_at is not None
    assert again.last_seen_at > first.last_seen_at


def test_only_the_present_life_beats() -> None:
    seen = services.register("h", "b", "t", "e2").last_seen_at
    assert not services.heartbeat("h", "b", "e1")
    assert not services.heartbeat("other", "b", "e2")
    assert services.get_by_host("h", "b").last_seen_at == seen
    assert services.heartbeat("h", "b", "e2")
    assert services.get_by_host("h", "b").last_seen_at > seen  # type: ignore[operator]


def test_list() -> None:
    for host, binary in (("a", "x"), ("b", "x"), ("a", "y")):
        services.register(host, binary, "t", None)
    assert [(each.host, each.binary) for each in services.list()] == [("a", "x"), ("b", "x"), ("a", "y")]
    assert [each.host for each in services.list(binary="x")] == ["a", "b"]
    assert [each.binary for each in services.list(host="a")] == ["x", "y"]


def test_operators_word() -> None:
    uuid = services.register("h", "b", "t", "e").uuid
    assert services.set_disabled(uuid, True, "why").disabled_reason == "why"
    assert services.set_disabled(uuid, False, "ignored").disabled_reason is None
    assert services.set_forced_down(uuid, True).forced_down
    services.destroy(uuid)
    for call in (services.get, services.destroy, lambda uuid: services.set_disabled(uuid, True)):
        with pytest.raises(exception.ServiceNotFound):
            call(uuid)
    with pytest.raises(exception.ServiceNotFound):
        services.get_by_host("h", "b")


def _with_claim() -> None:
    assert allocations.claim(compute_nodes.on_host("host1")[0].uuid, "i1", 1, 1, 1)


def _with_server() -> None:
    instances.insert(make_instance(host="host1"))


def _with_move(status: str = "migrating") -> None:
    migrations.create(
        Migration(
            uuid=uuid_of("move"), instance_uuid="i1", migration_type="resize", status=status, source_compute="other",
            dest_compute="host1",
        )  # fmt: skip
    )


@pytest.mark.parametrize("holds", [_with_claim, _with_server, _with_move])
def test_a_host_that_is_needed_is_not_forgotten(holds: Callable[[], None]) -> None:
    compute_nodes.upsert(make_node())
    uuid = services.register("host1", "nova-lite-compute", "compute", "e").uuid
    holds()
    with pytest.raises(exception.HostInUse):
        services.destroy(uuid)
    assert services.get(uuid).host == "host1" and compute_nodes.on_host("host1")


def test_a_host_of_moves_that_ended_is_forgotten_with_its_node() -> None:
    compute_nodes.upsert(make_node())
    uuid = services.register("host1", "nova-lite-compute", "compute", "e").uuid
    _with_move("confirmed")
    services.destroy(uuid)
    assert compute_nodes.on_host("host1") == [] and services.list(host="host1") == []
