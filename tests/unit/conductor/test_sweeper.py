"""What the sweeper finds: lost messages, dead hosts, deadlines, orphaned claims, hosts that are back."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest
from sqlalchemy import select, text

from nova_lite import conf as nova_conf
from nova_lite.conductor import sweeper
from nova_lite.conductor.sweeper import Sweeper
from nova_lite.db.api import allocations, compute_nodes, instances, migrations, operations, services
from nova_lite.db.models import Operation as OperationModel
from nova_lite.db.session import writer
from nova_lite.liveness import COMPUTE
from nova_lite.objects import Migration, MigrationStatus, MigrationType, OperationState
from tests.harness.builders import make_node, uuid_of
from tests.harness.database import fresh_database, make_instance

INTERVAL_S = 10.0


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    nova_conf.register_all()
    nova_conf.CONF([], project="nova-lite", default_config_files=[], default_config_dirs=[])
    with fresh_database():
        for host in ("up", "down"):
            services.register(host, COMPUTE, "compute", "epoch")
            compute_nodes.upsert(make_node(host))
        services.set_forced_down(services.get_by_host("down", COMPUTE).uuid, True)
        yield


class Found:
    """A sweeper, what it would run, and whom it asks to look around."""

    def __init__(self) -> None:
        self.run: list[int] = []
        self.asked: list[str] = []
        self.sweeper = Sweeper(self.run.append, self.asked.append, 60, INTERVAL_S, 3, 1)


@pytest.fixture
def found() -> Found:
    return Found()


def _server(host: str | None, name: str = "vm", **values: object) -> str:
    uuid = instances.insert(make_instance(name, host=host, node=host, **values)).uuid
    if host is not None:
        assert allocations.claim(compute_nodes.on_host(host)[0].uuid, uuid, 1, 64, 0)
    return uuid


def _operation(uuid: str, action: str, host: str | None, timeout_s: float | None = 90) -> int:
    return operations.insert_pending(
        request_id="r", instance_uuid=uuid, action=action, project_id="p", user_id="u",
        topic="conductor" if host is None else "compute", host=host, args={"builds": 0}, timeout_s=timeout_s,
    )  # fmt: skip


def _age(operation_id: int, seconds: float) -> None:
    """The operation was last touched so long ago."""
    table = OperationModel.__table__
    then = operations.get(operation_id).start_time - datetime.timedelta(seconds=seconds)
    with writer() as session:
        session.execute(table.update().where(table.c.id == operation_id).values(updated_at=then))


def test_what_no_message_told_is_run_when_it_is_old_enough(found: Found) -> None:
    uuid = _server(None)
    lost, fresh = _operation(uuid, "unshelve", None), _operation(uuid, "resize", None)
    _age(lost, 2 * INTERVAL_S)
    found.sweeper.sweep()
    assert found.run == [lost]
    assert operations.get(fresh).state is OperationState.PENDING


def test_a_build_leaves_a_dead_host_and_not_a_living_one(found: Found) -> None:
    states = {"vm_state": "building", "task_state": "spawning"}
    dead, living = _server("down", "one", **states), _server("up", "two", **states)
    left, kept = _operation(dead, "create", "down"), _operation(living, "create", "up")
    found.sweeper.sweep()
    assert found.run == [left]
    assert (instances.get(dead).host, operations.get(left).topic) == (None, "conductor")
    assert (instances.get(living).host, operations.get(kept).host) == ("up", "up")
    assert [each.instance_uuid for each in allocations.list()] == [living]


def test_who_saw_nothing_for_long_takes_nobody_for_dead_at_once(
    found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conductor that hung, or had no database: everybody's heartbeat looks old to it."""
    kept = _operation(_server("down", vm_state="building", task_state="spawning"), "create", "down")
    at = found.sweeper._looked_at
    for passed, run in ((3600.0, []), (3601.0, []), (3640.0, [kept])):
        monkeypatch.setattr(sweeper, "monotonic", lambda passed=passed: at + passed)
        found.sweeper.sweep()
        assert found.run == run


def test_what_is_past_its_deadline_ends_and_says_so(found: Found) -> None:
    uuid = _server("up", task_state="powering-off")
    late = _operation(uuid, "stop", "up", timeout_s=-1)
    found.sweeper.sweep()
    ended = operations.get(late)
    assert (ended.state, "deadline" in str(ended.message)) == (OperationState.FAILED, True)
    assert instances.get(uuid).task_state is None


def test_claims_of_servers_that_are_gone_are_given_back(found: Found) -> None:
    gone, live = _server("up", "gone"), _server("up", "live")
    instances.tombstone(gone)
    found.sweeper.tidy()
    assert [each.instance_uuid for each in allocations.list()] == [live]
    assert allocations.audit() == []


def test_what_nobody_can_read_ends_and_frees_its_server(found: Found) -> None:
    uuid = _server("up", task_state="powering-off")
    number = _operation(uuid, "stop", "up")
    table = OperationModel.__table__
    with writer() as session:
        session.execute(text("UPDATE operations SET args = '{' WHERE id = :id"), {"id": number})
    found.sweeper.tidy()
    with writer() as session:
        assert session.execute(select(table.c.state).where(table.c.id == number)).scalar_one() == "failed"
    assert instances.get(uuid).task_state is None


@pytest.mark.parametrize(("source", "asked"), [("up", ["up"]), ("down", [])])
def test_a_host_that_is_back_is_asked_for_what_was_evacuated(found: Found, source: str, asked: list[str]) -> None:
    migrations.create(
        Migration(
            uuid=uuid_of("move"), instance_uuid=_server("up"), migration_type=MigrationType.EVACUATION,
            status=MigrationStatus.DONE, source_compute=source, dest_compute="elsewhere", operation_id=1,
        )  # fmt: skip
    )
    found.sweeper.sweep()
    assert found.asked == asked
