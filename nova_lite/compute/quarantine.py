"""What an operator may do with guests that this host has stopped and set apart."""

from __future__ import annotations

import logging
from typing import Any

from nova_lite import exception
from nova_lite.compute import survey
from nova_lite.compute.custody import Verdict
from nova_lite.compute.host import ComputeHost
from nova_lite.context import RequestContext

LOG = logging.getLogger(__name__)

# How long an operator waits for other work on a server, in seconds: shorter than an answer may take.
_PATIENCE_S = 10.0


def held(host: ComputeHost) -> list[dict[str, Any]]:
    """Every guest in quarantine here, with what was noted."""
    return [
        {"uuid": guest.uuid, "name": guest.name, "power_state": int(guest.power_state),
         "reason": guest.quarantine.reason, "since": guest.quarantine.since}
        for guest in host.driver.list_guests() if guest.quarantine is not None
    ]  # fmt: skip


def release(host: ComputeHost, uuid: str) -> None:
    """Forget the note; the guest stays off.

    :raises GuestNotFound: there is none in quarantine; :raises ServerBusy: something else is done to it for long.
    """
    with host.locks.hold(uuid, patience_s=_PATIENCE_S):
        _require(host, uuid)
        host.driver.release(uuid)  # type: ignore[attr-defined]
    LOG.warning("Guest %s was released from quarantine by an operator", uuid)


def discard(host: ComputeHost, ctxt: RequestContext, uuid: str) -> None:
    """Remove guest and disks on an operator's word.

    :raises GuestNotFound: there is none in quarantine; :raises Conflict: its server lives here, or is on its way.
    :raises ServerBusy: as :func:`release`.
    """
    with host.locks.hold(uuid, patience_s=_PATIENCE_S):
        _require(host, uuid)
        found = [presence for presence in survey.whole(host.driver) if presence.uuid == uuid]
        ruling = host.conductor.judge_guests(ctxt, host.name, found)["rulings"][uuid]
        if ruling["verdict"] in (Verdict.LEAVE, Verdict.STOP):
            raise exception.Conflict(f"Guest {uuid} must not be discarded: {ruling['why']}.")
        host.driver.discard(uuid)  # type: ignore[attr-defined]
    LOG.warning("Guest %s was discarded from quarantine by an operator", uuid)


def _require(host: ComputeHost, uuid: str) -> None:
    guest = host.driver.find_guest(uuid)
    if guest is None or guest.quarantine is None:
        raise exception.GuestNotFound(f"Guest {uuid} is not in quarantine on host {host.name}.")
