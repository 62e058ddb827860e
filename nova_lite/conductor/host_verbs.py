"""What hosts ask of a conductor: their turns of operations, and what they say of themselves and their guests."""

from __future__ import annotations

import abc
import datetime
from typing import Any

from nova_lite import exception, rpc
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.conductor import guests, hosts, journal, live_moves, moves
from nova_lite.context import RequestContext
from nova_lite.db.api import compute_nodes, instances, operations
from nova_lite.manager import Manager
from nova_lite.objects import ComputeNode, HostIdentity, Instance, Operation, Presence, Service


class HostVerbs(Manager):
    """The half of the conductor's endpoint that hosts call; the other half is :class:`ConductorManager`."""

    _compute: ComputeRpcAPI
    _lease_s: float
    _max_builds: int

    @abc.abstractmethod
    def _submit(self, operation_id: int) -> None:
        """Work on an operation whose turn is the conductor's, apart from the caller."""

    # -- what hosts write -------------------------------------------------------------------------

    @rpc.expected(exception.StaleWrite)
    def take_operation(
        self, ctxt: RequestContext, operation_id: int, host_name: str, owner: str
    ) -> tuple[Operation, Instance] | None:
        return hosts.take(operation_id, owner, self._lease_s, host_name)

    @rpc.expected(exception.StaleWrite)
    def look_again(self, ctxt: RequestContext, operation_id: int, attempt: int) -> Instance:
        return journal.look_again(operation_id, attempt)

    @rpc.expected(exception.StaleWrite)
    def progress(
        self, ctxt: RequestContext, operation_id: int, attempt: int, step: str, values: dict[str, Any],
        number: int | None = None,
    ) -> None:  # fmt: skip
        journal.progress(operation_id, attempt, step, values, number)

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
        number = live_moves.guest_moved(instance_uuid, generation, dest, node)
        if number is not None:
            self._compute.run_operation(ctxt, dest, number)
        return number is not None

    def look_around(self, ctxt: RequestContext, host_name: str) -> None:
        self._compute.look_around(ctxt, host_name)

    # -- hosts ------------------------------------------------------------------------------------

    @rpc.expected(exception.HostRefused, exception.HostReplaced, exception.IncompatibleVersion)
    def register_host(
        self, ctxt: RequestContext, service: Service, node: ComputeNode, owner: str, known: HostIdentity | None = None
    ) -> HostIdentity | None:
        return hosts.register(service, node, owner, known)

    @rpc.expected(exception.ServiceNotFound, exception.HostReplaced, exception.IncompatibleVersion)
    def heartbeat(
        self, ctxt: RequestContext, host_name: str, epoch: str, owner: str, in_flight: list[int]
    ) -> dict[str, Any]:
        return hosts.heartbeat(host_name, epoch, owner, in_flight, self._lease_s)

    def report_health(self, ctxt: RequestContext, host_name: str, complaint: str | None) -> None:
        hosts.report_health(host_name, complaint)

    def report_inventory(self, ctxt: RequestContext, node: ComputeNode) -> None:
        compute_nodes.upsert(node)

    def host_instances(self, ctxt: RequestContext, host_name: str) -> list[Instance]:
        return instances.on_host(host_name)

    def judge_guests(self, ctxt: RequestContext, host_name: str, found: list[Presence]) -> dict[str, Any]:
        rulings = guests.judge(host_name, found)
        moves.let_go_beside(host_name, found)
        return rulings

    def report_cleaned(self, ctxt: RequestContext, host_name: str, instance_uuids: list[str]) -> None:
        live_moves.cleaned(host_name, instance_uuids)

    def written_at(self, ctxt: RequestContext, instance_uuid: str) -> datetime.datetime | None:
        return guests.written_at(instance_uuid)

    def report_power_state(
        self, ctxt: RequestContext, host_name: str, instance_uuid: str, state: int, written_at: datetime.datetime | None
    ) -> bool:
        return guests.report_power_state(host_name, instance_uuid, state, written_at)
