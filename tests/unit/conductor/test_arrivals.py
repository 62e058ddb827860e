"""Live migrations that are given up in the middle: a small operation settles them on the right host, or asks which."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.compute import acceptance, actions
from nova_lite.compute.power_states import PowerState
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor import arrivals, guests, journal, moves
from nova_lite.conductor.tasks import recover
from nova_lite.context import RequestContext
from nova_lite.db import session
from nova_lite.db.api import instances, operations, services
from nova_lite.db.api.operation_rows import TABLE as OPERATIONS
from nova_lite.liveness import COMPUTE
from nova_lite.objects import BlockDevice, Instance, MigrationType, Operation, OperationState
from tests.harness.database import make_instance

CTXT = RequestContext(user_id="u", project_id="p", roles=["admin"], overwrite=False)
OLD = BlockDevice(
    "volume", "volume", uuid="v", volume_id="v", attachment_id="old", bdm_uuid="b", host="a", connection={"a": 1},
)  # fmt: skip
COMING = OLD.replace(attachment_id=None, host=None, connection={}, bdm_uuid="c")
NEW = OLD.replace(attachment_id="new", host="b")
SENT = {"source": "a", "dest": "b", "dest_node": "b", "devices": [NEW.to_primitive()]}

pytestmark = pytest.mark.usefixtures("database")


def _open(instance: Instance, action: str, **args: Any) -> int:
    return operations.insert_pending(
        request_id="r", instance_uuid=instance.uuid, action=action, project_id="p", user_id="u", topic="compute",
        host=instance.host, args=args, timeout_s=90,
    )  # fmt: skip


def _reset(host: str = "a", action: str = "live-migration", **args: Any) -> tuple[Instance, list[Operation]]:
    """A server whose state is reset while it migrates from a to b; what is open then."""
    instance = instances.insert(
        make_instance(
            host=host, node=host, generation=1, launched_at=utcnow(), vm_state=VmState.ACTIVE, task_state="migrating",
            power_state=PowerState.RUNNING, block_devices=(OLD, COMING),
        )
    )  # fmt: skip
    _open(instance, action, **SENT, **args)
    acceptance.at_once(CTXT, instance, actions.RESET_STATE, {"vm_state": VmState.ACTIVE, "task_state": None})
    return instances.get(instance.uuid), operations.open_for_instance(instance.uuid)


@pytest.mark.parametrize("stage", ["migrate", "undo"])
def test_a_reset_while_the_guest_may_go_over_asks_the_source(stage: str) -> None:
    instance, (settles,) = _reset(stage=stage)
    assert (settles.action, settles.topic, settles.host) == ("settle", "compute", "a")
    assert settles.args == {
        "generation": 1, "sides": ["a", "b"], "devices": [], "former": ["new"], "undecided": True, "live": True,
    }  # fmt: skip
    assert settles.deadline is not None and instance.task_state is None


def test_a_reset_once_the_row_is_there_binds_it_there() -> None:
    _, (settles,) = _reset(host="b", stage="finish")
    assert (settles.action, settles.host, settles.deadline) == ("settle", "b", None)
    assert settles.args == {
        "generation": 1, "sides": ["a", "b"], "devices": [NEW.to_primitive()], "former": ["old"], "undecided": False,
        "live": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("action", "args"),
    [
        ("live-migration", {}), ("migrate", {"stage": "prep"}), ("evacuate", {"stage": "rebuild"}),
    ],
)  # fmt: skip
def test_other_resets_leave_nothing_open(action: str, args: dict[str, Any]) -> None:
    _, left = _reset(action=action, **args)
    assert left == []


@pytest.mark.parametrize("stage", ["check", "retry"])
def test_a_reset_before_the_guest_goes_has_a_conductor_give_back_what_the_destination_held(stage: str) -> None:
    _, (settles,) = _reset(stage=stage)
    assert (settles.action, settles.topic, settles.host, settles.deadline) == ("settle", "conductor", None, None)
    assert settles.args == {
        "generation": 1, "sides": ["a", "b"], "devices": [], "former": [], "undecided": False, "live": True,
        "unsent": True,
    }  # fmt: skip


@pytest.mark.parametrize(("host", "stage"), [("a", "migrate"), ("a", "check"), ("b", "finish")])
def test_no_live_migration_begins_before_what_a_former_one_left_is_in_order(host: str, stage: str) -> None:
    """It would take for a former try's what the guest is using."""
    instance, (settles,) = _reset(host=host, stage=stage)
    with pytest.raises(exception.LiveMigrationNotSettled):
        arrivals.refuse_while_settling(instance)
    arrivals.refuse_while_settling(instance.replace(generation=2))
    operations.give_up(settles, "stands for: done")
    arrivals.refuse_while_settling(instance)


def test_while_nobody_knows_where_the_guest_is_nothing_is_concluded_or_begun() -> None:
    instance, (settles,) = _reset(stage="migrate")
    guests.report_power_state("a", instance.uuid, PowerState.NOSTATE, guests.written_at(instance.uuid))
    assert instances.get(instance.uuid).vm_state == VmState.ACTIVE
    number = _open(instance, "reboot", type="HARD")
    assert journal.take(number, "me", 9, "a") is None
    assert operations.get(number).state is OperationState.PENDING and operations.get(number).rests == 1
    taken = journal.take(settles.id, "me", 9, "a")
    assert taken is not None
    journal.progress(settles.id, taken[0].attempt, actions.FOUND_STEP, {})
    guests.report_power_state("a", instance.uuid, PowerState.SHUTDOWN, guests.written_at(instance.uuid))
    assert instances.get(instance.uuid).vm_state == VmState.STOPPED
    other = _open(instance, "reboot", type="HARD")
    assert journal.take(other, "me", 9, "a") is not None


def test_what_the_host_bound_is_written_beside_what_came_meanwhile() -> None:
    instance, (settles,) = _reset(host="b", stage="finish")
    taken = journal.take(settles.id, "me", 9, "b")
    assert taken is not None
    journal.finish(settles.id, taken[0].attempt, PowerState.RUNNING, {"network_info": ()})
    assert operations.get(settles.id).state is OperationState.DONE
    assert instances.get(instance.uuid).network_info == instance.network_info


# -- the source is dead ---------------------------------------------------------------------------


def _sought(monkeypatch: pytest.MonkeyPatch, dead: set[str], version: int = 4) -> tuple[Instance, Operation]:
    """A server whose guest is sought, and the search after a sweeper looked at it; its hosts are a and b."""
    monkeypatch.setattr(arrivals, "dead_hosts", lambda _: frozenset(dead))
    for host in ("a", "b"):
        services.register(host, COMPUTE, "compute", "1", version)
    instance = instances.insert(
        make_instance(host="a", node="a", generation=1, launched_at=utcnow(), vm_state=VmState.ACTIVE)
    )
    begun = operations.get(_open(instance, "live-migration", **SENT, stage="migrate"))
    moves.begin(begun, instance, MigrationType.LIVE, dest_compute="b", dest_node="nb")
    acceptance.at_once(CTXT, instance, actions.RESET_STATE, {"vm_state": VmState.ACTIVE, "task_state": None})
    (settles,) = operations.open_for_instance(instance.uuid)
    assert recover.host_down(settles, 3) is None
    return instance, operations.get(settles.id)


def test_of_a_guest_whose_source_is_dead_the_destination_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    instance, settles = _sought(monkeypatch, {"a"})
    assert (settles.host, settles.args["asked"], settles.args["dest_node"]) == ("b", "b", "nb")
    taken = journal.take(settles.id, "me", 9, "b")
    assert taken is not None and arrivals.is_undecided(instance)
    journal.progress(settles.id, taken[0].attempt, actions.FOUND_STEP, {})
    assert not arrivals.is_undecided(instance)
    journal.rest(taken[0], "It has not come.")
    with session.writer() as transaction:
        transaction.execute(OPERATIONS.update().values(lease_until=None))
    assert journal.take(settles.id, "me", 9, "b") is None, "the rest is for the server's own host"
    assert operations.get(settles.id).host == "a"
    assert recover.host_down(operations.get(settles.id), 3) is None and operations.get(settles.id).host == "a"


@pytest.mark.parametrize(("dead", "version"), [({"a", "b"}, 4), ({"a"}, 3)])
def test_who_is_dead_or_would_not_understand_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, dead: set[str], version: int
) -> None:
    _, settles = _sought(monkeypatch, dead, version)
    assert settles.host == "a" and "asked" not in settles.args


def test_who_dies_over_the_answer_leaves_it_to_the_server_s_host(monkeypatch: pytest.MonkeyPatch) -> None:
    instance, settles = _sought(monkeypatch, {"a"})
    assert recover.host_down(settles, 3) is None
    assert operations.get(settles.id).host == "a" and arrivals.is_undecided(instance)
