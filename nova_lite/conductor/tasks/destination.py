"""Where a server that moves goes: the scheduler's choice, or the host that an administrator forced."""

from __future__ import annotations

import logging
from typing import Any

from nova_lite import exception
from nova_lite.conductor import journal
from nova_lite.conductor.tasks.placement import ask, request_spec, verdict_of
from nova_lite.conf import CONF
from nova_lite.context import RequestContext
from nova_lite.db.api import aggregates, allocations, compute_nodes, instances, migrations, operations
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.liveness import dead_hosts
from nova_lite.objects import Instance, Operation, Selection
from nova_lite.scheduler.api import API as SchedulerAPI

LOG = logging.getLogger(__name__)


class Destination:
    """``down_s``: silence after which a host counts as dead."""

    def __init__(self, scheduler: SchedulerAPI, down_s: float) -> None:
        self._scheduler = scheduler
        self._down_s = down_s

    def is_dead(self, host: str | None) -> bool:
        return host in dead_hosts(self._down_s)

    def choose(self, ctxt: RequestContext, operation: Operation, instance: Instance) -> Selection | None:
        """A claimed node on another host than the server's; None: the operation waits, or has ended with the reason.

        The operation's arguments: ``to``, ``force`` (the host is not checked by the scheduler), ``ignore_hosts``.

        :raises StaleWrite: overtaken; what was claimed is given back.
        """
        if operation.args.get("force") and operation.args.get("to"):
            return self._forced(operation, instance, str(operation.args["to"]))
        args = dict(operation.args)
        args["ignore_hosts"] = sorted({*args.get("ignore_hosts", []), str(instance.host)})
        args["force_host"] = args.get("to")
        placement = ask(self._scheduler, ctxt, operation, request_spec(operation.replace(args=args), instance))
        if placement is None:
            return None
        if not placement.selections:
            failure = operation.args.get("failure")
            last = f" Last error: {failure['reason']}" if failure else ""
            reason = str(exception.NoValidHost(reason=placement.diagnosis.summary() + last))
            give_up(operation, instance, reason, verdict_of(placement))
            return None
        chosen = placement.selections[0]
        try:
            operations.hold(operation.id, operation.attempt, verdict=verdict_of(placement))
        except exception.StaleWrite:
            unclaim(instance.uuid, chosen)
            raise
        return chosen

    def _forced(self, operation: Operation, instance: Instance, host: str) -> Selection | None:
        try:
            return self._claim(operation, instance, host)
        except (exception.Invalid, exception.NotFound) as error:
            give_up(operation, instance, str(error))
            return None

    def _claim(self, operation: Operation, instance: Instance, host: str) -> Selection:
        """:raises UnableToMigrateToSelf, ComputeServiceUnavailable, NoValidHost: it cannot go there."""
        if host == instance.host:
            raise exception.UnableToMigrateToSelf(instance_uuid=instance.uuid, host=host)
        if self.is_dead(host):
            raise exception.ComputeServiceUnavailable(host=host)
        spec = request_spec(operation, instance)
        for node in compute_nodes.on_host(host):
            if allocations.claim(node.uuid, instance.uuid, spec.vcpus, spec.memory_mb, spec.disk_gb):
                zone = aggregates.availability_zone_of_hosts().get(host, CONF.default_availability_zone)
                return Selection(host, node.hypervisor_hostname, node.uuid, zone)
        raise exception.NoValidHost(
            reason=f"Unable to move instance {instance.uuid} to host {host}. There is not enough capacity on the host "
            "for the instance."
        )


def give_up(operation: Operation, instance: Instance, reason: str, verdict: dict[str, Any] | None = None) -> None:
    """End the move for good. :raises StaleWrite: overtaken."""
    LOG.info("Server %s does not move: %s", instance.uuid, reason)
    journal.fail(operation.id, operation.attempt, reason, "", 500, verdict)


@retry_on_deadlock
def unclaim(instance_uuid: str, chosen: Selection) -> None:
    """What was claimed for a move that ended meanwhile holds nothing any more."""
    with writer():
        try:
            instance = instances.get(instance_uuid)
        except exception.InstanceNotFound:
            allocations.release(instance_uuid)
            return
        if migrations.open_of(instance_uuid) is None and (instance.host, instance.node) != (chosen.host, chosen.node):
            allocations.release(instance_uuid, chosen.node_uuid)


def zone_of(chosen: Selection, instance: Instance) -> str | None:
    """The zone that the server is in from now on."""
    return chosen.availability_zone or instance.availability_zone


def host_ip_of(chosen: Selection) -> str | None:
    """The destination's own address, as a migration shows it."""
    return compute_nodes.get(chosen.node_uuid).host_ip
