"""ConductorManager: runs operations whose turn is the conductor's, writes for the hosts, and sweeps."""

from __future__ import annotations

import uuid
from typing import Any

from oslo_log import log as logging

from nova_lite import concurrency, exception, rpc
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.conductor import hosts, journal, leftover_images, live_moves, shelf
from nova_lite.conductor.rpcapi import TOPIC
from nova_lite.conductor.sweeper import Sweeper
from nova_lite.conductor.tasks import recover, soft_delete, unconfirmed
from nova_lite.conductor.tasks.table import tasks
from nova_lite.context import RequestContext, admin_context
from nova_lite.db.api import compute_nodes, instances, operations, services
from nova_lite.image.api import API as ImageAPI
from nova_lite.manager import Manager, PeriodicTask
from nova_lite.network import loader as network_loader
from nova_lite.network.api import API as NetworkAPI
from nova_lite.objects import ComputeNode, Instance, Operation, OperationState, Service
from nova_lite.scheduler.api import API as SchedulerAPI
from nova_lite.volume.api import API as VolumeAPI

LOG = logging.getLogger(__name__)

BINARY = "nova-lite-conductor"
# Sweeps between two rounds of what is not urgent.
_TIDY_SWEEPS = 5


class ConductorManager(Manager):
    """Several may run; each has an owner name of its own, under which it holds leases."""

    def __init__(
        self, host: str, conf: Any, image_api: ImageAPI | None = None, network_api: NetworkAPI | None = None,
        volume_api: VolumeAPI | None = None,
    ) -> None:  # fmt: skip
        super().__init__(host, conf)
        options = conf.operations
        self._image = image_api or ImageAPI(conf)
        self._epoch = uuid.uuid4().hex[:12]
        self._owner = f"{BINARY}:{host}:{self._epoch}"
        self._lease_s = options.lease_s
        self._max_builds = conf.scheduler.max_attempts
        self._in_flight: set[int] = set()
        self._pool = concurrency.Pool(options.workers, name="conductor")
        self._compute = ComputeRpcAPI()
        network = network_api or network_loader.load(conf)
        self._tasks = tasks(SchedulerAPI(), self._compute, options.service_down_s, network, volume_api or VolumeAPI(conf))
        self._sweeper = Sweeper(
            self._submit,
            self._ask_to_look_around,
            options.service_down_s,
            options.sweep_interval_s,
            self._max_builds,
            options.retention_days,
        )
        self._intervals = (options.heartbeat_interval_s, options.sweep_interval_s)

    def init_host(self) -> None:
        services.register(self.host, BINARY, TOPIC, self._epoch)

    def periodic_tasks(self) -> list[PeriodicTask]:
        beat, sweep = self._intervals
        return [
            PeriodicTask(self._beat, beat, name="heartbeat"),
            PeriodicTask(self._sweeper.sweep, sweep, delay_s=sweep, name="sweep"),
            PeriodicTask(lambda: leftover_images.remove(self._image), sweep, delay_s=sweep, name="leftover images"),
            PeriodicTask(self._clear_shelf, _TIDY_SWEEPS * sweep, delay_s=sweep, name="shelf"),
            PeriodicTask(self._reclaim, sweep, name="reclaim"),
            PeriodicTask(self._confirm_resizes, sweep, delay_s=sweep, name="unconfirmed resizes"),
            PeriodicTask(self._sweeper.tidy, _TIDY_SWEEPS * sweep, delay_s=sweep, name="tidy"),
        ]

    def stop(self) -> None:
        self._pool.wait(timeout=self.conf.graceful_shutdown_timeout)

    # -- operations whose turn is ours ------------------------------------------------------------

    def run_operation(self, ctxt: RequestContext, operation_id: int) -> None:
        """Work on an operation; one that is taken, ended or not ours is left alone."""
        operation = operations.take(operation_id, self._owner, self._lease_s, TOPIC, None)
        if operation is None:
            return
        self._in_flight.add(operation.id)
        try:
            self._execute(ctxt, operation)
        except exception.StaleWrite as error:
            LOG.info("Operation %d went to somebody else: %s", operation.id, error)
        finally:
            self._in_flight.discard(operation.id)

    def _execute(self, ctxt: RequestContext, operation: Operation) -> None:
        if recover.poisoned(operation):
            return
        task = self._tasks.get(operation.action)
        if task is None:
            operations.finish(operation.id, operation.attempt, OperationState.FAILED, "No conductor does this.")
        else:
            task(ctxt, operation)

    def _reclaim(self) -> None:
        soft_delete.reclaim(self.conf.reclaim_instance_interval, self.conf.operations.service_down_s)

    def _submit(self, operation_id: int) -> None:
        self._pool.spawn(self.run_operation, admin_context(), operation_id)

    def _ask_to_look_around(self, host_name: str) -> None:
        self._compute.look_around(admin_context(), host_name)

    def _confirm_resizes(self) -> None:
        unconfirmed.confirm(self._compute, self.conf.resize_confirm_window)

    def _beat(self) -> None:
        if not services.heartbeat(self.host, BINARY, self._epoch):
            self.init_host()
        operations.renew(self._owner, list(self._in_flight), self._lease_s)

    def _clear_shelf(self) -> None:
        shelf.clear(self._compute, self.conf.shelved_offload_time)

    # -- what hosts write -------------------------------------------------------------------------

    @rpc.expected(exception.StaleWrite)
    def take_operation(
        self, ctxt: RequestContext, operation_id: int, host_name: str, owner: str
    ) -> tuple[Operation, Instance] | None:
        return journal.take(operation_id, owner, self._lease_s, host_name)

    @rpc.expected(exception.StaleWrite)
    def progress(
        self, ctxt: RequestContext, operation_id: int, attempt: int, step: str, values: dict[str, Any]
    ) -> None:
        journal.progress(operation_id, attempt, step, values)

    @rpc.expected(exception.StaleWrite)
    def hand_over(
        self, ctxt: RequestContext, operation_id: int, attempt: int, stage: str, next_host: str | None,
        values: dict[str, Any], more: dict[str, Any],
    ) -> None:  # fmt: skip
        journal.hand_over(operation_id, attempt, stage, next_host, values, more)
        if next_host is None:
            self._submit(operation_id)
        else:
            self._compute.run_operation(ctxt, next_host, operation_id)

    @rpc.expected(exception.StaleWrite)
    def finish_operation(
        self, ctxt: RequestContext, operation_id: int, attempt: int, power_state: int, values: dict[str, Any]
    ) -> None:
        journal.finish(operation_id, attempt, power_state, values)

    @rpc.expected(exception.StaleWrite)
    def fail_operation(
        self, ctxt: RequestContext, operation_id: int, attempt: int, reason: str, details: str, code: int
    ) -> None:
        journal.fail(operation_id, attempt, reason, details, code)

    @rpc.expected(exception.StaleWrite)
    def refuse_build(
        self, ctxt: RequestContext, operation_id: int, attempt: int, reason: str, details: str, retry: bool
    ) -> None:
        if journal.refuse_build(operation_id, attempt, reason, details, self._max_builds, retry):
            self._submit(operation_id)

    @rpc.expected(exception.StaleWrite)
    def finish_delete(self, ctxt: RequestContext, operation_id: int, attempt: int) -> None:
        journal.finish_delete(operation_id, attempt)

    @rpc.expected(exception.StaleWrite)
    def put_down(self, ctxt: RequestContext, operation_id: int, attempt: int, seconds: float, message: str) -> None:
        operations.pause(operation_id, attempt, seconds, message)

    @rpc.expected(exception.StaleWrite)
    def report_migration(
        self, ctxt: RequestContext, operation_id: int, attempt: int, status: str | None, progress: dict[str, int]
    ) -> str | None:
        return live_moves.report(operation_id, attempt, status, progress)

    def guest_moved(self, ctxt: RequestContext, instance_uuid: str, generation: int, dest: str, node: str) -> bool:
        return live_moves.guest_moved(instance_uuid, generation, dest, node)

    def look_around(self, ctxt: RequestContext, host_name: str) -> None:
        self._ask_to_look_around(host_name)

    # -- hosts ------------------------------------------------------------------------------------

    def register_host(self, ctxt: RequestContext, service: Service, node: ComputeNode, owner: str) -> None:
        hosts.register(service, node, owner)

    def heartbeat(
        self, ctxt: RequestContext, host_name: str, epoch: str, owner: str, in_flight: list[int]
    ) -> dict[str, list[int]]:
        return hosts.heartbeat(host_name, epoch, owner, in_flight, self._lease_s)

    def report_health(self, ctxt: RequestContext, host_name: str, complaint: str | None) -> None:
        hosts.report_health(host_name, complaint)

    def report_inventory(self, ctxt: RequestContext, node: ComputeNode) -> None:
        compute_nodes.upsert(node)

    def host_instances(self, ctxt: RequestContext, host_name: str) -> list[Instance]:
        return instances.on_host(host_name)

    def judge_guests(self, ctxt: RequestContext, host_name: str, guests: dict[str, int | None]) -> dict[str, Any]:
        return hosts.judge(host_name, guests)

    def report_cleaned(self, ctxt: RequestContext, host_name: str, instance_uuids: list[str]) -> None:
        live_moves.cleaned(host_name, instance_uuids)

    def report_power_states(self, ctxt: RequestContext, host_name: str, states: dict[str, int]) -> None:
        hosts.report_power_states(host_name, states)
