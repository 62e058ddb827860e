"""A build in a conductor: the host is written down only for the server that the scheduler was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.compute import acceptance, actions
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor.tasks import recover
from nova_lite.conductor.tasks.build import BuildTask
from nova_lite.context import admin_context
from nova_lite.db.api import allocations, compute_nodes, instances, operations
from nova_lite.objects import (
    BlockDevice,
    Diagnosis,
    Instance,
    Operation,
    OperationState,
    Placement,
    RequestSpec,
    Selection,
)
from nova_lite.volume.meta import Attachment
from tests.harness.builders import make_node
from tests.harness.database import fresh_database, make_instance

VOLUME = BlockDevice(source_type="volume", destination_type="volume", volume_id="volume", attachment_id="held")


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    with fresh_database():
        compute_nodes.upsert(make_node("a"))
        yield


class Scheduler:
    """Claims host a, or finds no host; ``meanwhile`` is what happens until its answer arrives."""

    def __init__(self, meanwhile: Callable[[str], object], finds: bool = True) -> None:
        self._meanwhile, self._finds = meanwhile, finds

    def select_destinations(self, ctxt: Any, specs: list[RequestSpec], alternates: int) -> list[Placement]:
        (spec,) = specs
        (node,) = compute_nodes.on_host("a")
        assert allocations.claim(node.uuid, spec.instance_uuid, spec.vcpus, spec.memory_mb, spec.disk_gb)
        self._meanwhile(spec.instance_uuid)
        found = (Selection("a", "a", node.uuid, "nova", True),) if self._finds else ()
        return [Placement(spec.instance_uuid, found, Diagnosis(considered=1))]


class Compute:
    def __init__(self) -> None:
        self.woken: list[tuple[str, int]] = []

    def run_operation(self, ctxt: Any, host: str, operation_id: int) -> None:
        self.woken.append((host, operation_id))


def _taken(builds: int = 0) -> Operation:
    states = {"vm_state": "building", "task_state": "scheduling"}
    server = instances.insert(make_instance(**states, host=None, node=None, generation=2))
    number = operations.insert_pending(
        request_id="r", instance_uuid=server.uuid, action="create", project_id="p", user_id="u", topic="conductor",
        host=None, args={"builds": builds, "ignore_hosts": []}, timeout_s=9,
    )  # fmt: skip
    operation = operations.take(number, "me", 60, "conductor", None)
    assert operation is not None
    return operation


class Network:
    """``works`` False: the network service does not answer."""

    def __init__(self, works: bool = True) -> None:
        self._works = works
        self.freed: list[str] = []

    def deallocate(self, ctxt: Any, instance: Instance) -> None:
        if not self._works:
            raise exception.Unavailable("no network service")
        self.freed.append(instance.uuid)


class Volume:
    """Has one attachment for every server; those that were given back."""

    def __init__(self) -> None:
        self.freed: list[str] = []

    def attachments_of(self, ctxt: Any, instance_uuid: str) -> list[Attachment]:
        return [Attachment("held", "volume", "attached", instance_uuid)]

    def attachment_delete(self, ctxt: Any, attachment_id: str) -> None:
        self.freed.append(attachment_id)


def _build(
    operation: Operation, scheduler: Scheduler, network: Network | None = None, volume: Volume | None = None
) -> list[tuple[str, int]]:
    compute = Compute()
    task = BuildTask(scheduler, compute, network or Network(), volume or Volume())  # type: ignore[arg-type]
    task.execute(admin_context(), operation)
    return compute.woken


def test_the_host_is_written_down_with_its_turn() -> None:
    operation = _taken()
    assert _build(operation, Scheduler(lambda uuid: None)) == [("a", operation.id)]
    server, passed = instances.get(operation.instance_uuid), operations.get(operation.id)
    assert (server.host, server.node, server.generation, server.task_state) == ("a", "a", 3, None)
    assert (passed.topic, passed.host, passed.state) == ("compute", "a", OperationState.PENDING)


@pytest.mark.parametrize("meanwhile", [
    lambda uuid: instances.update_if(uuid, {"task_state": "deleting"}),
    lambda uuid: instances.update_if(uuid, {"generation": 3}),
    lambda uuid: operations.end_open(uuid, "superseded"),
], ids=["a delete was accepted", "it was sent elsewhere", "it was superseded"])  # fmt: skip
def test_who_was_overtaken_writes_no_host(meanwhile: Callable[[str], object]) -> None:
    operation = _taken()
    with pytest.raises(exception.StaleWrite):
        _build(operation, Scheduler(meanwhile))
    server = instances.get(operation.instance_uuid)
    assert server.host is None and server.node is None


def test_what_was_claimed_for_a_server_that_is_gone_is_given_back() -> None:
    operation = _taken()
    with pytest.raises(exception.StaleWrite):
        _build(operation, Scheduler(instances.tombstone))
    assert allocations.list() == [] and allocations.audit() == []


def test_a_server_without_a_host_holds_nothing() -> None:
    operation = _taken()
    assert _build(operation, Scheduler(lambda uuid: None, finds=False)) == []
    assert (allocations.list(), operations.get(operation.id).state) == ([], OperationState.FAILED)
    assert instances.get(operation.instance_uuid).vm_state == "error"


@pytest.mark.parametrize("ends", [
    lambda operation, server: recover.time_is_up(operation),
    lambda operation, server: acceptance.at_once(
        admin_context(), server, actions.RESET_STATE, {"vm_state": VmState.ERROR, "task_state": None}
    ),
], ids=["its time is up", "an operator reset it"])  # fmt: skip
def test_a_claim_that_no_conductor_heard_of_goes_with_the_build(ends: Callable[[Operation, Instance], object]) -> None:
    """The scheduler had claimed when its caller died; nobody else knew of the claim."""
    operation = _taken()
    server = instances.get(operation.instance_uuid)
    (node,) = compute_nodes.on_host("a")
    assert allocations.claim(node.uuid, server.uuid, 1, 512, 1)
    ends(operation, server)
    assert (allocations.list(), allocations.audit()) == ([], [])
    assert operations.get(operation.id).state == OperationState.FAILED


def test_what_a_dead_host_made_at_the_network_service_goes_before_the_build_fails() -> None:
    operation, network = _taken(builds=1), Network()
    _build(operation, Scheduler(lambda uuid: None, finds=False), network)
    assert network.freed == [operation.instance_uuid]
    assert operations.get(operation.id).state == OperationState.FAILED


def test_a_build_fails_only_when_its_ports_are_gone() -> None:
    operation = _taken(builds=1)
    _build(operation, Scheduler(lambda uuid: None, finds=False), Network(works=False))
    resting = operations.get(operation.id)
    assert (resting.state, resting.lease_until is not None) == (OperationState.PENDING, True)


def _is_late(operation: Operation) -> None:
    recover.time_is_up(operation)


def _host_dies_for_the_last_time(operation: Operation) -> None:
    assert recover.host_down(operation, max_builds=1) == operation.id


ENDS = pytest.mark.parametrize("ends", [_is_late, _host_dies_for_the_last_time, recover.cancelled])


@ENDS
def test_a_build_that_ends_on_its_host_gives_back_what_the_host_made(ends: Callable[[Operation], object]) -> None:
    """Its host may be dead, and nobody else knows its ports and attachments."""
    operation, network, volume = _taken(), Network(), Volume()
    assert _build(operation, Scheduler(lambda uuid: None)) == [("a", operation.id)]
    instances.update_if(operation.instance_uuid, {"block_devices": (VOLUME,)})
    before = instances.get(operation.instance_uuid)
    ends(operations.get(operation.id))
    undone = operations.take(operation.id, "other", 60, "conductor", None)
    assert undone is not None, "the turn is a conductor's, who undoes it"
    assert _build(undone, Scheduler(lambda uuid: None), network, volume) == []
    server = instances.get(operation.instance_uuid)
    assert (network.freed, volume.freed, allocations.list()) == ([server.uuid], ["held"], [])
    assert (server.vm_state, server.task_state, server.network_info) == ("error", None, ())
    assert (server.host, server.generation) == (None, before.generation + 1), "what the host has is older"
    ended = operations.get(operation.id)
    assert (ended.state, ended.message) == (OperationState.FAILED, undone.args["failure"])
    assert server.fault is not None and server.fault.message == ended.message


@ENDS
def test_a_build_is_not_over_while_the_network_service_keeps_its_ports(ends: Callable[[Operation], object]) -> None:
    operation = _taken()
    _build(operation, Scheduler(lambda uuid: None))
    known = instances.get(operation.instance_uuid).network_info
    ends(operations.get(operation.id))
    undone = operations.take(operation.id, "other", 60, "conductor", None)
    assert undone is not None
    _build(undone, Scheduler(lambda uuid: None), Network(works=False))
    resting, server = operations.get(operation.id), instances.get(operation.instance_uuid)
    assert (resting.state, resting.lease_until is not None) == (OperationState.PENDING, True)
    assert server.network_info == known and server.vm_state == "building"
    recover.time_is_up(resting)
    assert operations.get(operation.id).state == OperationState.FAILED, "not for ever"
