"""What an evacuation finds half done: nothing of a server is made anew while its guest or disks may be elsewhere.

It ends what was under way, as a reset does, and then makes another guest of the image. So it is refused while a guest
that may have gone over can be asked for, or while the disks are with a source that lives; and what may be the only
whole copy is not built over.
"""

from __future__ import annotations

from collections.abc import Iterable

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor import arrivals, moves, rebuilds, resets
from nova_lite.conf import CONF
from nova_lite.db.api import instances, migrations, operations
from nova_lite.liveness import dead_hosts
from nova_lite.objects import Instance, MigrationStatus, Operation


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
    last = migrations.last_proven(instance.uuid)
    if last is None or not last.is_cold or last.status != MigrationStatus.ERROR:
        return None
    return last.source_compute


def may_have_guest(instance: Instance, host: str) -> bool:
    """Whether a live move brought the guest of a server in error there, perhaps, before an evacuation was tried."""
    if instance.vm_state != VmState.ERROR:
        return False
    last, proven = migrations.last_of(instance.uuid), migrations.last_proven(instance.uuid)
    if last is None or proven is None or last.id == proven.id:
        return False
    return arrivals.was_given_up(proven) and proven.dest_compute == host
