"""Hosts that announce themselves, beat, and report what they have."""

from __future__ import annotations

import datetime
import logging
from typing import Any

from nova_lite import exception, upgrades
from nova_lite.conductor import journal
from nova_lite.conductor.host_identity import refusal
from nova_lite.db import clock
from nova_lite.db.api import cloud, compute_nodes, migrations, operations, services
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.liveness import COMPUTE as BINARY
from nova_lite.objects import (
    ComputeNode,
    HostIdentity,
    Instance,
    Operation,
    Service,
)

LOG = logging.getLogger(__name__)

# A wake-up that has not arrived after so long counts as lost, and the heartbeat brings it.
_WAKE_UP_GRACE_S = 1.0
# Begins the reason of a service that was disabled by no operator, as Nova's does.
_AUTO = "AUTO: "


@retry_on_deadlock
def register(service: Service, node: ComputeNode, owner: str, known: HostIdentity | None) -> HostIdentity | None:
    """A host started: it is usable at once, and what its former life held may be taken again.

    ``known`` is what lies beside its guests, None where it keeps none; the answer is what shall lie there from now on.

    :raises HostRefused: the host and this database do not belong together; nothing was written.
    :raises HostReplaced: a later life of the host has registered; nothing was written.
    :raises IncompatibleVersion: this conductor and the host's daemon cannot work together.
    """
    upgrades.admit(service)
    with writer():
        if known is not None:
            require_belonging(service, known)
        registered = services.register(
            service.host, service.binary, service.topic, service.epoch, service.version,
            identity=known.uuid if known else None, beats=known.beats if known else 0, works_with=service.works_with,
        )  # fmt: skip
        compute_nodes.upsert(node)
        freed = operations.release_former(f"{service.binary}:{service.host}", owner)
        site = cloud.get()
    LOG.info("Host %s registered, epoch %s; operations it frees: %d", service.host, service.epoch, freed)
    return known and known.replace(cloud=site.uuid, beats=registered.beats, mark=site.mark)


def require_belonging(service: Service, known: HostIdentity) -> None:
    """:raises HostRefused: what registers and this database do not belong together."""
    row = next((each for each in services.list(service.binary, service.host)), None)
    reason = refusal(known, row, cloud.get())
    if reason is not None:
        LOG.error("Host %s is refused: %s", service.host, reason)
        raise exception.HostRefused(detail=reason)


@retry_on_deadlock
def take(operation_id: int, owner: str, lease_s: float, host: str) -> tuple[Operation, Instance] | None:
    """As :func:`journal.take`, for the present life of the host's daemon only; None for a former one."""
    with writer():
        if not services.is_epoch(host, BINARY, owner.rpartition(":")[2]):
            LOG.warning("Operation %d is refused to a former life of host %s: %s", operation_id, host, owner)
            return None
        return journal.take(operation_id, owner, lease_s, host)


def heartbeat(host: str, epoch: str, owner: str, in_flight: list[int], lease_s: float) -> dict[str, Any]:
    """Keep the host up and its leases; answers which it lost, which wait for it, and the count of its heartbeats.

    ``leaving``: servers are built again elsewhere although this host is alive, so that it has to look around.

    :raises ServiceNotFound: the host is not registered and must register again.
    :raises HostReplaced: it is, under another epoch: this daemon is a former life.
    :raises IncompatibleVersion: it registered with a conductor of before an upgrade, and is too old for this one.
    """
    beats = services.heartbeat(host, BINARY, epoch)
    if not beats:
        registered = services.get_by_host(host, BINARY)
        upgrades.admit(registered)
        raise exception.HostReplaced(host=host, epoch=registered.epoch)
    lost = operations.renew(owner, in_flight, lease_s)
    older = clock.now() - datetime.timedelta(seconds=_WAKE_UP_GRACE_S)
    waiting = operations.waiting("compute", host, older)
    return {"lost": lost, "waiting": waiting, "beats": beats, "leaving": bool(migrations.leaving(host))}


@retry_on_deadlock
def report_health(host: str, complaint: str | None) -> None:
    """A host whose hypervisor is silent takes no new servers until it answers; what an operator disabled stays so."""
    with writer():
        service = services.get_by_host(host, BINARY)
        automatic = (service.disabled_reason or "").startswith(_AUTO)
        if complaint and (automatic or not service.disabled):
            services.set_disabled(service.uuid, True, f"{_AUTO}{complaint}"[:255])
            LOG.warning("Host %s takes no new servers: %s", host, complaint)
        elif not complaint and service.disabled and automatic:
            services.set_disabled(service.uuid, False)
            LOG.info("Host %s takes new servers again", host)
