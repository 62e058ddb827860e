"""A host that starts, or looks around: guests that should not be here, and what became of those that should.

What shall be done with a guest is a table (``custody``) that a conductor reads beside the server's row; here it is
done, each guest under its server's lock, judged once more in it.
"""

from __future__ import annotations

import functools
import logging
from typing import Any

from nova_lite import clock, exception
from nova_lite.compute import custody, power_sync, survey
from nova_lite.compute.custody import DeletedAction, Place, Power, Verdict
from nova_lite.compute.delete import wipe
from nova_lite.compute.host import ComputeHost
from nova_lite.compute.power import SHUTDOWN_TIMEOUT_S
from nova_lite.compute.power_states import PowerState
from nova_lite.compute.task_states import TaskState
from nova_lite.compute.vm_states import VmState
from nova_lite.context import RequestContext
from nova_lite.objects import Instance, Presence
from nova_lite.virt.driver import Guest, Quarantine

LOG = logging.getLogger(__name__)

# How long a look at one guest waits for other work on its server, in seconds: the other guests wait with it.
_PATIENCE_S = 2.0
# Who is at that lets interfaces go, and may have begun.
_LEAVING = (TaskState.SHELVING_OFFLOADING, TaskState.DELETING)
_CHANGES = (Verdict.STOP, Verdict.QUARANTINE, Verdict.DESTROY)


def clean(host: ComputeHost, ctxt: RequestContext) -> None:
    """Stop, set apart or remove the guests that the database proves to be wrong here; report what it does not know."""
    # What a guest boots from may be another by the time that this is heard: only who has its lock says that.
    found = {presence.uuid: presence.replace(rescued=None) for presence in survey.whole(host.driver)}
    answer = host.conductor.judge_guests(ctxt, host.name, [*found.values()])
    left = set()
    for uuid, ruling in answer["rulings"].items():
        verdict = _verdict(host, ruling)
        if verdict is Verdict.NOTE and not found[uuid].in_quarantine:
            LOG.warning("Guest %s on this host is left alone: %s", uuid, ruling["why"])
        if verdict in _CHANGES and not _settled(host, ctxt, uuid):
            left.add(uuid)
    cleaned = [uuid for uuid in answer["evacuated"] if uuid not in left]
    if cleaned:
        host.conductor.report_cleaned(ctxt, host.name, cleaned)


def _settled(host: ComputeHost, ctxt: RequestContext, uuid: str) -> bool:
    """Whether nothing is left to do with one guest; judged again under its lock, as it may be another one by now."""
    try:
        with host.locks.hold(uuid, patience_s=_PATIENCE_S):
            settle(host, ctxt, uuid)
    except exception.ServerBusy as error:
        LOG.warning("Guest %s is looked at later: %s", uuid, error)
        return False
    except Exception:
        LOG.exception("Guest %s could not be dealt with", uuid)
        return False
    return True


def keeps(host: ComputeHost, ctxt: RequestContext, instance: Instance) -> bool:
    """Ask whether a server's guest and disks shall stay here; what is proved stale is removed.

    For a worker that was overtaken and holds the server's lock.
    """
    return settle(host, ctxt, instance.uuid, instance.generation) in (Verdict.LEAVE, Verdict.STOP)


def settle(host: ComputeHost, ctxt: RequestContext, uuid: str, without_guest: int | None = None) -> Verdict:
    """Do with a server's guest and disks what the table says; what that was. The server's lock is the caller's.

    ``without_guest`` is the generation that disks without a guest count as; None is older than any.
    """
    guest = host.driver.find_guest(uuid)
    presence = Presence(uuid, generation=without_guest, has_disks=True)
    if guest is not None:
        presence = presence.replace(
            power_state=int(guest.power_state), generation=guest.generation, rescued=guest.rescued
        )
    answer = host.conductor.judge_guests(ctxt, host.name, [presence])
    ruling = answer["rulings"][uuid]
    verdict = _verdict(host, ruling)
    servers: list[Instance] = answer["servers"]
    if verdict in _CHANGES:
        LOG.warning("Guest %s on this host: %s: %s", uuid, ruling["why"], verdict)
    if verdict is Verdict.DESTROY:
        remove(host, ctxt, servers[0])
    elif verdict is Verdict.STOP:
        _stop(host, ctxt, servers[0])
    elif verdict is Verdict.QUARANTINE:
        _set_apart(host, uuid, ruling["why"])
    return verdict


def _verdict(host: ComputeHost, ruling: dict[str, str]) -> Verdict:
    verdict = Verdict(ruling["verdict"])
    if ruling["place"] != Place.DELETED:
        return verdict
    return custody.of_deleted(verdict, Power(ruling["power"]), DeletedAction(host.deleted_action))


def remove(host: ComputeHost, ctxt: RequestContext, instance: Instance) -> None:
    """Remove what is proved stale; the interfaces of a server that lives elsewhere are plugged there."""
    if instance.is_deleted:
        wipe(host, ctxt, instance)
        return
    host.driver.destroy(instance)
    host.driver.delete_disks(instance)
    # A worker that was overtaken here may have taken interfaces after they were another host's, or let them go.
    if instance.host is None:
        host.network.unbind(ctxt, instance, host.name)
        return
    there = functools.partial(_prove_there, host, ctxt, instance)
    try:
        for plugs in (host.name, ""):
            host.network.move(ctxt, instance, instance.host, source=plugs, prove=there)
    except exception.StaleWrite:  # who has the server meanwhile has its interfaces
        host.network.unbind(ctxt, instance, host.name)


def _prove_there(host: ComputeHost, ctxt: RequestContext, instance: Instance) -> None:
    """:raises StaleWrite: the server is no longer where it was, or about to leave."""
    answer = host.conductor.judge_guests(ctxt, host.name, [Presence(instance.uuid, has_disks=True)])
    now = next(iter(answer["servers"]), None)
    if now is None or now.host != instance.host or now.task_state in _LEAVING:
        raise exception.StaleWrite(what=f"The place of {instance.uuid}")


def _stop(host: ComputeHost, ctxt: RequestContext, instance: Instance) -> None:
    driver: Any = host.driver
    if "power" in driver.capabilities:
        driver.power_off(instance, SHUTDOWN_TIMEOUT_S)
        _tell(host, ctxt, instance.uuid)


def _set_apart(host: ComputeHost, uuid: str, why: str) -> None:
    driver: Any = host.driver
    if "quarantine" in driver.capabilities:
        driver.quarantine(uuid, Quarantine(why, clock.utcnow().isoformat(timespec="seconds")))


def report_all(host: ComputeHost, ctxt: RequestContext) -> None:
    """Tell the conductor the power state of every server that belongs here; one that cannot be told stops no other."""
    found = {guest.uuid: guest for guest in host.driver.list_guests()}
    for instance in host.conductor.host_instances(ctxt, host.name):
        guest = found.get(instance.uuid)
        boots_otherwise = guest is not None and _boots_otherwise(instance, guest)
        state = guest.power_state if guest else PowerState.NOSTATE
        if instance.task_state is None and (boots_otherwise or power_sync.values(instance, state)):
            try:
                report(host, ctxt, instance.uuid, boots_otherwise)
            except exception.ServerBusy as error:
                LOG.warning("The state of guest %s is told later: %s", instance.uuid, error)
            except Exception:
                LOG.exception("The state of guest %s could not be reported", instance.uuid)


def _boots_otherwise(instance: Instance, guest: Guest) -> bool:
    """Whether a guest was booted for a rescue that its server's row does not know, or is none any more."""
    told = instance.vm_state == VmState.RESCUED
    return instance.vm_state != VmState.ERROR and guest.rescued not in (None, told)


def report(host: ComputeHost, ctxt: RequestContext, uuid: str, boots_otherwise: bool = False) -> None:
    """Tell the conductor what one guest does, while nothing else is done to it on this host.

    One that somebody started behind the cloud's back, of a server that shall not run, is stopped. With
    ``boots_otherwise`` it tells what the guest boots from, too.

    :raises ServerBusy: something else is done to it for long; it is told again by and by.
    """
    with host.locks.hold(uuid, patience_s=_PATIENCE_S):
        if _tell(host, ctxt, uuid) or boots_otherwise:
            settle(host, ctxt, uuid)


def _tell(host: ComputeHost, ctxt: RequestContext, uuid: str) -> bool:
    """Say what a guest does, as seen after its row was last written; whether it runs and shall not."""
    written_at = host.conductor.written_at(ctxt, uuid)
    guest = host.driver.find_guest(uuid)
    state = int(guest.power_state if guest else PowerState.NOSTATE)
    return bool(host.conductor.report_power_state(ctxt, host.name, uuid, state, written_at))
