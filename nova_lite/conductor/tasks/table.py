"""What a conductor does when an operation's turn is its own, by the action's name."""

from __future__ import annotations

from collections.abc import Callable

from nova_lite.compute import actions
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.conductor.tasks import cold, resized, soft_delete
from nova_lite.conductor.tasks.build import BuildTask
from nova_lite.conductor.tasks.delete import DeleteTask
from nova_lite.conductor.tasks.destination import Destination
from nova_lite.conductor.tasks.evacuate import EvacuateTask
from nova_lite.conductor.tasks.homeless import HomelessTask
from nova_lite.conductor.tasks.live_migrate import LiveMigrateTask
from nova_lite.conductor.tasks.offload import OffloadTask
from nova_lite.conductor.tasks.unshelve import UnshelveTask
from nova_lite.context import RequestContext
from nova_lite.image.api import API as ImageAPI
from nova_lite.network.api import API as NetworkAPI
from nova_lite.objects import Operation
from nova_lite.scheduler.api import API as SchedulerAPI
from nova_lite.volume.api import API as VolumeAPI

Task = Callable[[RequestContext, Operation], None]


def tasks(
    scheduler: SchedulerAPI, compute: ComputeRpcAPI, down_s: float, network: NetworkAPI, volume: VolumeAPI,
    image: ImageAPI,
) -> dict[str, Task]:  # fmt: skip
    """The conductor's part of each action that has one; a host that is silent for ``down_s`` counts as dead."""
    destination = Destination(scheduler, down_s)
    return {
        actions.CREATE.name: BuildTask(scheduler, compute, network, volume).execute,
        actions.DELETE.name: DeleteTask(compute, network, volume).execute,
        actions.FORCE_DELETE.name: DeleteTask(compute, network, volume).execute,
        actions.SOFT_DELETE.name: soft_delete.without_host,
        actions.RESIZE.name: cold.ColdMoveTask(scheduler, compute).execute,
        actions.MIGRATE.name: cold.ColdMoveTask(scheduler, compute).execute,
        actions.CONFIRM_RESIZE.name: resized.confirm,
        actions.REVERT_RESIZE.name: resized.RevertTask(compute).execute,
        actions.LIVE_MIGRATE.name: LiveMigrateTask(destination, compute, volume).execute,
        actions.EVACUATE.name: EvacuateTask(destination, compute, volume).execute,
        actions.SHELVE_OFFLOAD.name: OffloadTask(image).execute,
        actions.UNSHELVE.name: UnshelveTask(scheduler, compute).execute,
        **dict.fromkeys(actions.BESIDE, HomelessTask(compute, network, volume).execute),
    }
