"""Door: what every part of the compute API stands on; each part is one noun's requests, see its neighbours here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from oslo_config import cfg

from nova_lite import exception
from nova_lite.compute import acceptance, actions
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.conductor.api import API as ConductorAPI
from nova_lite.context import RequestContext
from nova_lite.image.api import API as ImageAPI
from nova_lite.network import loader as network_loader
from nova_lite.network.api import API as NetworkAPI
from nova_lite.objects import Instance
from nova_lite.volume.api import API as VolumeAPI


@dataclass(frozen=True)
class Neighbours:
    """The services a door may ask."""

    conf: cfg.ConfigOpts
    image: ImageAPI
    network: NetworkAPI
    volume: VolumeAPI
    conductor: ConductorAPI
    compute: ComputeRpcAPI

    @classmethod
    def of(
        cls, conf: cfg.ConfigOpts, image: ImageAPI | None, network: NetworkAPI | None, volume: VolumeAPI | None
    ) -> Neighbours:
        """Those given, and the others as the configuration says."""
        return cls(
            conf,
            image or ImageAPI(conf),
            network or network_loader.load(conf),
            volume or VolumeAPI(conf),
            ConductorAPI(),
            ComputeRpcAPI(),
        )


class Door:
    """Judges a request, writes the intent and wakes the worker."""

    def __init__(self, neighbours: Neighbours) -> None:
        self._conf = neighbours.conf
        self._image = neighbours.image
        self._network = neighbours.network
        self._volume = neighbours.volume
        self._conductor = neighbours.conductor
        self._rpcapi = neighbours.compute

    @property
    def acceptance_s(self) -> float:
        """Seconds after which what a request asked of other services is taken back unless it was accepted."""
        return float(self._conf.operations.acceptance_s)

    def accept(
        self,
        ctxt: RequestContext,
        instance: Instance,
        row: actions.Action,
        args: Mapping[str, Any],
        *,
        values: Mapping[str, Any] | None = None,
        host: str | None = None,
        also: Callable[[int], None] | None = None,
    ) -> int:
        """Accept an action and wake its worker; the operation's id.

        The turn is the conductors' where the row says so, else ``host``'s (the server's own when not given).
        ``values`` are fields of the server that change with the acceptance; ``also`` is called with the operation's
        id in the transaction that accepts.

        :raises InstanceIsLocked, InstanceInvalidState, InstanceNotLaunched, InstanceNotReady: refused.
        """
        self.check(ctxt, instance, row, host)
        operation_id, turn = acceptance.action(ctxt, instance, row, args, values=values, host=host, also=also)
        self.wake(ctxt, operation_id, turn)
        return operation_id

    def check(
        self, ctxt: RequestContext, instance: Instance, row: actions.Action, host: str | None = None
    ) -> None:
        """Refuse what :meth:`accept` would refuse, before anything is made for it; errors as there."""
        check_lock(ctxt, instance, row)
        if row.needs_host:
            check_host(instance)
        acceptance.check(row, instance)
        if row.leaves_host or (row.place is actions.Place.COMPUTE and host is None):
            check_host(instance)

    def wake(self, ctxt: RequestContext, operation_id: int, host: str | None) -> None:
        """Say that an operation waits for a host, or (None) for any conductor."""
        if host is None:
            self._conductor.wake(ctxt, [operation_id])
        else:
            self._rpcapi.run_operation(ctxt, host, operation_id)


def check_lock(ctxt: RequestContext, instance: Instance, row: actions.Action) -> None:
    """:raises InstanceIsLocked, InstanceNotLaunched: locked, the row minds it, and the caller is no administrator."""
    if not instance.locked or row.ignores_lock or ctxt.is_admin:
        return
    if row.locked_verb is not None:
        raise exception.InstanceNotLaunched(verb=row.locked_verb, instance_uuid=instance.uuid)
    raise exception.InstanceIsLocked(instance_uuid=instance.uuid)


def check_host(instance: Instance, tasks_that_hide_it: Collection[str] = ()) -> str:
    """The host of a server that can be asked now.

    :raises InstanceNotReady: it has none, or is busy with one of these tasks.
    """
    if instance.host is None or instance.task_state in tasks_that_hide_it:
        raise exception.InstanceNotReady(instance_uuid=instance.uuid)
    return instance.host
