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
from nova_lite.objects import Diagnosis, Instance, Operation, OperationState, Placement, RequestSpec, Selection
from tests.harness.builders import make_node
from tests.harness.database import fresh_database, make_instance


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


def _build(operation: Operation, scheduler: Scheduler, network: Network | None = None) -> list[tuple[str, int]]:
    compute = Compute()
    task = BuildTask(scheduler, compute, network or Network())  # type: ignore[arg-type]
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
