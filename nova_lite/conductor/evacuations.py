"""What an evacuation finds half done: nothing of a server is made anew while its guest or disks may be elsewhere.

It ends what was under way, as a reset does, and then makes another guest of the image. So it is refused while a guest
that may have gone over can be asked for, or while the disks are with a source that lives; and what may be the only
whole copy is not built over.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor import arrivals, moves, rebuilds, resets
from nova_lite.conf import CONF
from nova_lite.db.api import instances, migrations, operations
from nova_lite.liveness import dead_hosts
from nova_lite.objects import Instance, MigrationStatus, Operation
from nova_lite.volume import marks
from nova_lite.volume.api import API as VolumeAPI

LOG = logging.getLogger(__name__)


def supersede(instance: Instance, ended: Iterable[int]) -> None:
    """These operations were ended for an evacuation; the server's row is where it goes from. In its transaction.

    :raises GuestMayHaveMoved: a live migration may have brought the guest to a host that lives.
    :raises ComputeServiceInUse: the server, or what a cold move set aside, is on a host that lives.
    """
    given_up = resets.given_up(ended)
    rebuilds.put_back(given_up)
    dead = dead_hosts(CONF.operations.service_down_s)
    for host in sorted(arrivals.whereabouts(instance, given_up) - dead):
        raise exception.GuestMayHaveMoved(instance_uuid=instance.uuid, host=host)
    moves.reset(instance)
    row = resets.outdate(instances.get(instance.uuid), given_up)
    if row.host not in dead:
        raise exception.ComputeServiceInUse(host=row.host)
    for each in operations.open_for_instance(instance.uuid):
        _overtake(operations.locked(each.id))


def _overtake(attach: Operation) -> None:
    """Whoever is at it on the host that is given up stops, and it has the whole time of the evacuation besides.

    What is being taken back already is taken along all the same: that it failed is what was said.
    """
    if attach.finish_time is not None:
        return
    if attach.args.get("stage") is not None:
        operations.give_up(attach, "The server is built again elsewhere.")
    elif not operations.seize(attach, attach.topic, host=attach.host, timeout_s=actions.EVACUATE.timeout_s):
        raise exception.StaleWrite(what=f"Operation {attach.id}")


def keeper_of(instance: Instance) -> str | None:
    """Which host may have the only whole copy of a server in error: a cold move from there was given up.

    An evacuation that failed since has proved nothing.
    """
    if instance.vm_state != VmState.ERROR:
        return None
    last = arrivals.newest_sent(migrations.proven(instance.uuid))
    if last is None or not last.is_cold or last.status != MigrationStatus.ERROR:
        return None
    return last.source_compute


def may_have_guest(instance: Instance, host: str) -> bool:
    """Whether a live move brought the guest of a server in error there, perhaps, before an evacuation was tried."""
    if instance.vm_state != VmState.ERROR:
        return False
    last, proven = migrations.last_of(instance.uuid), arrivals.newest_sent(migrations.proven(instance.uuid))
    if last is None or proven is None or last.id == proven.id:
        return False
    return arrivals.was_given_up(proven) and proven.dest_compute == host


def was_found(instance: Instance) -> bool:
    """Whether its host has said, after an evacuation in vain, that the guest of a server is there."""
    last = migrations.last_of(instance.uuid)
    if last is None or last.operation_id is None:
        return False
    since = last.operation_id
    return any(each.id > since and _has_found(each, instance) for each in operations.list_for_instance(instance.uuid))


def _has_found(settles: Operation, instance: Instance) -> bool:
    if settles.action != actions.SETTLE.name or settles.host != instance.host:
        return False
    return actions.FOUND_STEP in settles.steps and settles.args["generation"] == instance.generation


def next_generation(instance: Instance) -> int:
    """Each host that is asked builds under a generation of its own: what one leaves is older than the next one's.

    Two more than any: a guest that a live migration brought, and that nobody knows of, is of the next one.
    """
    used = [
        operation.args["generation"] for operation in operations.list_for_instance(instance.uuid)
        if operation.action == actions.EVACUATE.name and "generation" in operation.args
    ]  # fmt: skip
    return int(max([*used, instance.generation])) + 2


def unmark(volumes: VolumeAPI, instance: Instance) -> None:
    """Who was to take a volume out was superseded, and no new host can reserve what is still on its way.

    A volume service that is away is no reason to wait: who connects the volumes says so.
    """
    at_work = {each.args.get("bdm_uuid") for each in operations.open_for_instance(instance.uuid)}
    for device in instance.block_devices:
        if not device.is_volume or device.volume_id is None or device.bdm_uuid in at_work:
            continue
        try:
            marks.take_off(volumes, device.volume_id)
        except exception.NovaLiteError as error:
            LOG.warning("Whether volume %s is on its way out is not known: %s", device.volume_id, error)
