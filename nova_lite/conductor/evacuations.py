"""What an evacuation finds half done: nothing of a server is made anew while its guest or disks may be elsewhere.

It ends what was under way, as a reset does, and then makes another guest of the image. So it is refused while a guest
that may have gone over can be asked for, or while the disks are with a source that lives; and what may be the only
whole copy is not built over.
"""

from __future__ import annotations

from collections.abc import Iterable

from nova_lite import exception
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor import arrivals, moves, resets
from nova_lite.conf import CONF
from nova_lite.db.api import instances, migrations
from nova_lite.liveness import dead_hosts
from nova_lite.objects import Instance, MigrationStatus


def supersede(instance: Instance, ended: Iterable[int]) -> None:
    """These operations were ended for an evacuation; the server's row is where it goes from. In its transaction.

    :raises GuestMayHaveMoved: a live migration may have brought the guest to a host that lives.
    :raises ComputeServiceInUse: the server, or what a cold move set aside, is on a host that lives.
    """
    given_up = resets.given_up(ended)
    dead = dead_hosts(CONF.operations.service_down_s)
    for host in sorted(arrivals.whereabouts(instance, given_up) - dead):
        raise exception.GuestMayHaveMoved(instance_uuid=instance.uuid, host=host)
    moves.reset(instance)
    row = resets.outdate(instances.get(instance.uuid), given_up)
    if row.host not in dead:
        raise exception.ComputeServiceInUse(host=row.host)


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
