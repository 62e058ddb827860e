"""What hosts write: the row says how it ends; whoever was overtaken writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import conf as nova_conf
from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.compute import actions
from nova_lite.compute.power_states import PowerState
from nova_lite.conductor import guests, hosts, journal
from nova_lite.conductor.tasks import recover
from nova_lite.db.api import allocations, compute_nodes, instances, operations, services
from nova_lite.objects import BlockDevice, Operation, OperationState, Presence
from tests.harness.builders import make_node
from tests.harness.database import fresh_database, make_instance


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    nova_conf.register_all()
    nova_conf.CONF([], project="nova-lite", default_config_files=[], default_config_dirs=[])
    with fresh_database():
        compute_nodes.upsert(make_node("h"))
        yield


def _begin(action: str = "create", **server: Any) -> tuple[Operation, str]:
    """A server on host h with an operation that this host has taken."""
    values = {"vm_state": "building", "task_state": "scheduling", "host": "h", "node": "h", "generation": 1, **server}
    instance = instances.insert(make_instance(**values))
    number = operations.insert_pending(
        request_id="req-1", instance_uuid=instance.uuid, action=action, project_id="project", user_id="user",
        topic="compute", host="h", args={"builds": 0, "ignore_hosts": []}, timeout_s=100,
    )  # fmt: skip
    node = compute_nodes.on_host("h")[0]
    assert allocations.claim(node.uuid, instance.uuid, 1, 64, 0)
    taken = journal.take(number, "nova-lite-compute:h:e", 20, "h")
    assert taken is not None
    return taken[0], instance.uuid


def test_taking_shows_the_work_and_opens_its_event() -> None:
    operation, uuid = _begin()
    assert instances.get(uuid).task_state == "networking"
    (event,) = operations.get_by_request_id(uuid, "req-1").events
    assert (event.name, event.host, event.finish_time) == ("compute__do_build_and_run_instance", "h", None)
    assert journal.take(operation.id, "other", 20, "h") is None


def test_a_server_that_is_elsewhere_is_not_worked_on() -> None:
    instance = instances.insert(make_instance(host="other"))
    number = operations.insert_pending(
        request_id="r", instance_uuid=instance.uuid, action="stop", project_id="p", user_id="u", topic="compute",
        host="h", args={}, timeout_s=9,
    )  # fmt: skip
    assert journal.take(number, "me", 20, "h") is None
    assert operations.get(number).state is OperationState.FAILED


def _beside(uuid: str, action: str, host: str | None = "h", **args: Any) -> int:
    return operations.insert_pending(
        request_id="r2", instance_uuid=uuid, action=action, project_id="p", user_id="u", topic="compute", host=host,
        args=args, timeout_s=9,
    )  # fmt: skip


@pytest.mark.parametrize("action", actions.BESIDE)
@pytest.mark.parametrize(("home", "topic"), [("other", "compute"), (None, "conductor")])
def test_what_runs_beside_goes_after_its_server(action: str, home: str | None, topic: str) -> None:
    instance = instances.insert(make_instance(host=home))
    number = _beside(instance.uuid, action, bdm_uuid="b")
    assert journal.take(number, "me", 20, "h") is None
    found = operations.get(number)
    assert (found.state, found.topic, found.host) == (OperationState.PENDING, topic, home)
    assert found.args == {"bdm_uuid": "b"}


def test_a_server_that_leaves_while_its_host_has_other_work_takes_what_runs_beside_along() -> None:
    instance = instances.insert(make_instance(host="h"))
    number = _beside(instance.uuid, "attach_volume")
    taken = journal.take(number, "me", 20, "h")
    assert taken is not None
    instances.update_if(instance.uuid, {"host": "other"})
    with pytest.raises(exception.StaleWrite):
        journal.look_again(number, taken[0].attempt)
    found = operations.get(number)
    assert (found.state, found.host) == (OperationState.PENDING, "other")


def test_an_action_that_comes_too_late_to_its_host_leaves_no_task_behind() -> None:
    instance = instances.insert(make_instance(host="other", task_state="powering-off"))
    number = _beside(instance.uuid, "stop")
    assert journal.take(number, "me", 20, "h") is None
    assert operations.get(number).state is OperationState.FAILED
    assert instances.get(instance.uuid).task_state is None


def test_the_deadline_of_what_runs_beside_ends_nothing_else() -> None:
    """It cleared the server's task and failed every open operation of it."""
    operation, uuid = _begin("stop", vm_state="active", task_state="powering-off", launched_at=utcnow())
    number = _beside(uuid, "detach_interface", port_id="p")
    recover.time_is_up(operations.get(number))
    assert operations.get(number).state is OperationState.FAILED
    assert operations.get(operation.id).state is OperationState.RUNNING
    assert instances.get(uuid).task_state == "powering-off"
    journal.finish(operation.id, operation.attempt, PowerState.SHUTDOWN, {})
    assert instances.get(uuid).vm_state == "stopped"


def _died(action: str, **server: Any) -> tuple[int, str]:
    """An operation of host h whose worker died: its daemon started anew."""
    operation, uuid = _begin(action, vm_state="active", launched_at=utcnow(), **server)
    assert operations.release_former("nova-lite-compute:h", "nova-lite-compute:h:new") == 1
    return operation.id, uuid


def test_what_must_not_be_done_twice_fails_when_its_worker_dies() -> None:
    number, uuid = _died("trigger_crash_dump")
    assert journal.take(number, "me", 20, "h") is None
    found = operations.get(number)
    assert (found.state, found.message) == (OperationState.FAILED, "Its worker died, and it must not be done twice.")
    assert instances.get(uuid).vm_state == "active"


def test_what_can_be_done_twice_is_resumed_when_its_worker_dies() -> None:
    number, _ = _died("stop", task_state="powering-off")
    assert journal.take(number, "me", 20, "h") is not None


def test_a_live_migration_whose_source_died_is_its_destinations_to_undo() -> None:
    number, uuid = _died("live-migration", task_state="migrating")
    operations.seize(operations.get(number), "compute", {"stage": "migrate", "dest": "other"}, host="h")
    first = journal.take(number, "nova-lite-compute:h:new", 20, "h")
    assert first is not None and first[0].retries == 0
    operations.release_former("nova-lite-compute:h", "nova-lite-compute:h:newer")
    assert journal.take(number, "me", 20, "h") is None
    found = operations.get(number)
    assert (found.state, found.host, found.args["stage"]) == (OperationState.PENDING, "other", "undo")
    assert found.args["failure"]["reason"] == "Its worker died."


def test_what_cannot_go_on_rests_longer_and_longer() -> None:
    operation, _ = _begin("stop", vm_state="active", task_state="powering-off", launched_at=utcnow())
    for rests, most_s in ((3, 16.0), (10, 60.0)):
        journal.rest(operation.replace(rests=rests), "not now")
        resting = operations.get(operation.id)
        assert (resting.state, resting.message) == (OperationState.PENDING, "not now")
        assert resting.rests == operation.rests + 1 and resting.lease_until is not None
        assert resting.updated_at is not None
        assert 0.8 * most_s - 1 < (resting.lease_until - resting.updated_at).total_seconds() < most_s + 1
        assert journal.take(operation.id, "me", 20, "h") is None
        assert operations.seize(resting, "compute", host="h")
        taken = journal.take(operation.id, "me", 20, "h")
        assert taken is not None and taken[0].rests == 0
        operation = taken[0]


def test_a_host_changes_the_devices_that_it_knows_and_no_others() -> None:
    """A volume that was attached while a host moved its server was forgotten with its reservation."""
    first, late = (BlockDevice("volume", "volume", volume_id=name, bdm_uuid=name) for name in ("b1", "b2"))
    operation, uuid = _begin(block_devices=(first,))
    instances.update_if(uuid, {"block_devices": (first, late)})
    here = first.replace(host="h", connection={"driver_volume_type": "fake"})
    journal.progress(operation.id, operation.attempt, "volumes", {"block_devices": (here,)})
    assert instances.get(uuid).block_devices == (here, late)
    instances.update_if(uuid, {"block_devices": (late,)})
    journal.finish(operation.id, operation.attempt, PowerState.RUNNING, {"block_devices": (here,)})
    assert instances.get(uuid).block_devices == (late,)


def test_steps_are_recorded_once_with_their_values() -> None:
    operation, uuid = _begin()
    for _ in range(2):
        journal.progress(operation.id, operation.attempt, "network", {"task_state": "spawning"})
    assert operations.get(operation.id).steps == ("network",)
    assert instances.get(uuid).task_state == "spawning"
    with pytest.raises(exception.StaleWrite):
        journal.progress(operation.id, operation.attempt - 1, "disks", {"task_state": "networking"})
    assert instances.get(uuid).task_state == "spawning"


def test_a_word_that_was_long_under_way_changes_nothing() -> None:
    operation, uuid = _begin()
    first, second = (1, "network", {"task_state": "spawning"}), (2, "disks", {"task_state": "networking"})
    for number, step, values in (first, second, first):
        journal.progress(operation.id, operation.attempt, step, values, number)
    assert operations.get(operation.id).steps == ("network", "disks")
    assert instances.get(uuid).task_state == "networking"
    with pytest.raises(exception.StaleWrite):
        journal.progress(operation.id, operation.attempt - 1, "network", {}, 3)


def test_each_attempt_counts_its_words_anew() -> None:
    """The next worker may be another host, whose numbers are lower."""
    operation, _ = _begin()
    journal.progress(operation.id, operation.attempt, "network", {}, 70)
    operations.pause(operation.id, operation.attempt, -1.0, "later")
    again = operations.take(operation.id, "w", 30.0, operation.topic, operation.host)
    assert again is not None
    journal.progress(again.id, again.attempt, "disks", {}, 1)
    assert operations.get(operation.id).steps == ("network", "disks")


def test_a_build_ends_active_and_saying_so_twice_changes_nothing() -> None:
    operation, uuid = _begin()
    journal.finish(operation.id, operation.attempt, PowerState.RUNNING, {})
    server = instances.get(uuid)
    assert (server.vm_state, server.task_state, server.power_state) == ("active", None, 1)
    assert server.launched_at is not None and server.progress == 100
    journal.finish(operation.id, operation.attempt, PowerState.RUNNING, {})
    assert instances.get(uuid).launched_at == server.launched_at


def test_a_refused_build_goes_back_with_its_claim_released_and_the_host_avoided() -> None:
    operation, uuid = _begin()
    assert journal.refuse_build(operation.id, operation.attempt, "no disk", "trace", 3, retry=True)
    server, again = instances.get(uuid), operations.get(operation.id)
    assert (server.host, server.task_state, server.generation) == (None, "scheduling", 2)
    assert (again.topic, again.state, again.args["ignore_hosts"], again.args["builds"]) == (
        "conductor", OperationState.PENDING, ["h"], 1,
    )  # fmt: skip
    assert allocations.of_instance(uuid) == [] and allocations.audit() == []
    assert compute_nodes.on_host("h")[0].build_failures == 1


@pytest.mark.parametrize(("retry", "max_builds", "text"), [(False, 3, "bad image"), (True, 1, "Exceeded maximum")])
def test_a_build_that_nobody_can_do_ends_in_error_with_its_reason(retry: bool, max_builds: int, text: str) -> None:
    operation, uuid = _begin()
    assert not journal.refuse_build(operation.id, operation.attempt, "bad image", "trace", max_builds, retry=retry)
    server = instances.get(uuid)
    assert server.vm_state == "error" and server.task_state is None
    assert server.fault is not None and text in server.fault.message and server.fault.details == "trace"
    assert operations.get(operation.id).state is OperationState.FAILED and allocations.of_instance(uuid) == []


def test_a_failed_action_leaves_the_vm_state_and_tells_why() -> None:
    operation, uuid = _begin("stop", vm_state="active", task_state="powering-off")
    journal.fail(operation.id, operation.attempt, "will not", "trace", 500)
    server = instances.get(uuid)
    assert (server.vm_state, server.task_state) == ("active", None)
    assert operations.get(operation.id).message == "will not"


def test_a_delete_gives_everything_back_once() -> None:
    operation, uuid = _begin("delete", vm_state="active", task_state="deleting")
    for _ in range(2):
        journal.finish_delete(operation.id, operation.attempt)
    with pytest.raises(exception.InstanceNotFound):
        instances.get(uuid)
    assert instances.get(uuid, include_deleted=True).deleted_at is not None
    assert allocations.list() == []


def test_guests_are_destroyed_on_proof_only() -> None:
    here = instances.insert(make_instance("here", host="h", generation=2))
    moved = instances.insert(make_instance("moved", host="other", generation=5))
    dead = instances.insert(make_instance("dead", host="h", generation=1))
    assert instances.tombstone(dead.uuid)
    found = {here.uuid: 2, moved.uuid: 4, dead.uuid: 1, "stranger": 1}
    verdict = guests.judge("h", [_guest(uuid, generation) for uuid, generation in found.items()])
    assert _ruled(verdict) == {
        here.uuid: "leave", moved.uuid: "destroy", dead.uuid: "destroy", "stranger": "quarantine",
    }  # fmt: skip
    assert {instance.uuid for instance in verdict["servers"]} == {moved.uuid, dead.uuid}
    # A guest of the newest generation, or one without a mark, is no proof of anything.
    spared = guests.judge("h", [_guest(moved.uuid, 5), _guest(dead.uuid, None), _guest(here.uuid, 3)])
    assert _ruled(spared) == {moved.uuid: "quarantine", dead.uuid: "note", here.uuid: "note"}


def _guest(uuid: str, generation: int | None) -> Presence:
    return Presence(uuid, int(PowerState.RUNNING), generation, has_disks=True)


def _ruled(verdict: dict[str, Any]) -> dict[str, str]:
    return {uuid: str(ruling["verdict"]) for uuid, ruling in verdict["rulings"].items()}


def test_a_build_whose_time_is_up_is_a_conductors_to_end() -> None:
    operation, uuid = _begin()
    recover.time_is_up(operation)
    undone = operations.get(operation.id)
    assert (undone.topic, undone.args["stage"], "deadline" in undone.args["failure"]) == ("conductor", "undo", True)
    assert (instances.get(uuid).host, allocations.list()) == (None, [])
    with pytest.raises(exception.StaleWrite):
        journal.finish(operation.id, operation.attempt, PowerState.RUNNING, {})


def test_an_operation_that_kills_its_workers_is_given_up() -> None:
    operation, uuid = _begin("stop", vm_state="active", task_state="powering-off")
    for _ in range(4):
        assert operations.release_former("nova-lite-compute:h", "new") == 1
        taken = journal.take(operation.id, "nova-lite-compute:h:x", 20, "h")
    assert taken is None
    assert operations.get(operation.id).state is OperationState.FAILED
    assert instances.get(uuid).task_state is None


def test_a_delete_is_no_poison_however_many_workers_die_on_it() -> None:
    instance = instances.insert(make_instance(host="h", node="h", task_state="deleting"))
    number = operations.insert_pending(
        request_id="r", instance_uuid=instance.uuid, action="delete", project_id="p", user_id="u", topic="compute",
        host="h", args={}, timeout_s=None,
    )  # fmt: skip
    for _ in range(actions.DELETE.max_retries + 3):
        assert journal.take(number, "nova-lite-compute:h:old", 20, "h") is not None
        assert operations.release_former("nova-lite-compute:h", "nova-lite-compute:h:new") == 1
    assert operations.get(number).state is OperationState.PENDING


def test_a_dead_hosts_build_goes_to_another_and_its_delete_to_a_conductor() -> None:
    operation, uuid = _begin()
    assert recover.host_down(operation, 3) == operation.id
    assert instances.get(uuid).host is None and operations.get(operation.id).topic == "conductor"
    assert allocations.of_instance(uuid) == []


def test_a_host_whose_hypervisor_is_silent_takes_no_servers_until_it_answers() -> None:
    services.register("h", "nova-lite-compute", "compute", "e")
    hosts.report_health("h", "libvirtd is gone")
    down = services.get_by_host("h", "nova-lite-compute")
    assert down.disabled and down.disabled_reason == "AUTO: libvirtd is gone"
    hosts.report_health("h", None)
    assert not services.get_by_host("h", "nova-lite-compute").disabled
    # What an operator disabled is not the host's to enable.
    services.set_disabled(down.uuid, True, "broken fan")
    hosts.report_health("h", "libvirtd is gone")
    hosts.report_health("h", None)
    kept = services.get_by_host("h", "nova-lite-compute")
    assert kept.disabled and kept.disabled_reason == "broken fan"
