"""What may be set right without asking: each repair proves once more, at the database, that nobody needs what goes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from nova_lite import exception, rpc
from nova_lite.audit.finding import Finding, Key, Repair
from nova_lite.audit.neighbours import Doors
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.context import admin_context
from nova_lite.db import clock
from nova_lite.db.api import (
    allocations,
    console_tokens,
    history,
    idempotency,
    instances,
    operations,
    provisional_images,
    quotas,
)
from nova_lite.objects import Instance

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tools:
    """By whom repairs are done."""

    doors: Doors
    compute: ComputeRpcAPI


def repair(findings: Iterable[Finding], tools: Tools) -> dict[Key, str]:
    """Do what may be done; why it failed, by finding. Look again to see whether the rest helped."""
    failed: dict[Key, str] = {}
    asked: set[str | None] = set()
    for finding in findings:
        if finding.repair is None:
            continue
        host = finding.complaint.host
        try:
            # A host that looks around looks at everything: once is enough.
            if finding.repair is not Repair.LOOK_AROUND or host not in asked:
                REPAIRS[finding.repair](finding, tools)
            if finding.repair is Repair.LOOK_AROUND:
                asked.add(host)
        except exception.NovaLiteError as error:
            LOG.warning("%s: could not %s: %s", finding, finding.repair, error)
            failed[finding.key] = str(error)
    rpc.flush()
    return failed


def _tombstone(finding: Finding) -> Instance:
    """The deleted server. :raises NovaLiteError: it is not deleted, or unknown: there is no proof."""
    server = instances.get(str(finding.complaint.server), include_deleted=True)
    if not server.is_deleted:
        raise exception.Conflict(f"Server {server.uuid} is not deleted.")
    return server


def _release_claim(finding: Finding, tools: Tools) -> None:
    """Every claim of a server that is gone, or of a move that has ended, is given back to its node."""
    allocations.release_orphans()


def _rebook(finding: Finding, tools: Tools) -> None:
    """What is used of the node becomes the sum of its claims."""
    allocations.repair(finding.complaint.ident)


def _recount(finding: Finding, tools: Tools) -> None:
    """Every count becomes what there is."""
    quotas.repair()


def _look_around(finding: Finding, tools: Tools) -> None:
    """The host asks the conductor for a verdict on each guest, under the server's lock."""
    tools.compute.look_around(admin_context(), str(finding.complaint.host))


def _forget_tokens(finding: Finding, tools: Tools) -> None:
    """Tokens that expired, and those of a server that is deleted or on no host, open nothing any more."""
    console_tokens.purge(clock.now())
    try:
        server = instances.get(finding.complaint.ident, include_deleted=True)
    except exception.InstanceNotFound:
        server = None
    if server is None or server.is_deleted or server.host is None:
        console_tokens.forget(finding.complaint.ident)


def _forget_keys(finding: Finding, tools: Tools) -> None:
    """Keys that expired are forgotten."""
    idempotency.purge()


def _forget_password(finding: Finding, tools: Tools) -> None:
    """The arguments of an operation that was given a password are emptied."""
    operations.forget_password([int(finding.complaint.ident)])


def _close_events(finding: Finding, tools: Tools) -> None:
    """The events of an operation that ended end when it did."""
    history.close_events(int(finding.complaint.ident))


def _give_port_back(finding: Finding, tools: Tools) -> None:
    """A deleted server's ports: what was made for it is deleted, a user's own port is let go."""
    if tools.doors.network is not None:
        tools.doors.network.deallocate(admin_context(), _tombstone(finding))


def _give_volume_back(finding: Finding, tools: Tools) -> None:
    """A deleted server's attachment is deleted; the volume stays."""
    _tombstone(finding)
    if tools.doors.volume is not None:
        tools.doors.volume.attachment_delete(None, finding.complaint.ident)


def _remove_image(finding: Finding, tools: Tools) -> None:
    """A conductor removes it, unless a shelved server's disk is in it."""
    provisional_images.discard(finding.complaint.ident, str(finding.complaint.server))


REPAIRS: dict[Repair, Callable[[Finding, Tools], None]] = {
    Repair.RELEASE_CLAIM: _release_claim,
    Repair.REBOOK_NODE: _rebook,
    Repair.RECOUNT_QUOTA: _recount,
    Repair.LOOK_AROUND: _look_around,
    Repair.FORGET_TOKENS: _forget_tokens,
    Repair.FORGET_KEYS: _forget_keys,
    Repair.FORGET_PASSWORD: _forget_password,
    Repair.CLOSE_EVENTS: _close_events,
    Repair.GIVE_PORT_BACK: _give_port_back,
    Repair.GIVE_VOLUME_BACK: _give_volume_back,
    Repair.REMOVE_IMAGE: _remove_image,
}
