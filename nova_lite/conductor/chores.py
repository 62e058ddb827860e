"""What a conductor does now and then for nobody in particular; each finding is acted on once, whoever else looks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nova_lite.audit import gather
from nova_lite.audit.chore import Chore
from nova_lite.audit.neighbours import Doors, Hosts
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.conductor import leftover_images, leftover_volumes, shelf
from nova_lite.conductor.tasks import soft_delete, unconfirmed
from nova_lite.db.api import services
from nova_lite.image.api import API as ImageAPI
from nova_lite.liveness import is_up
from nova_lite.manager import PeriodicTask
from nova_lite.network.api import API as NetworkAPI
from nova_lite.volume.api import API as VolumeAPI

# Sweeps between two rounds of what is not urgent.
RARELY = 5


def periodic_tasks(conf: Any, compute: ComputeRpcAPI, image: ImageAPI, volume: VolumeAPI) -> list[PeriodicTask]:
    """What nothing comes of, shelved servers on hosts, soft deletes whose time is over, forgotten resizes."""
    every_s = conf.operations.sweep_interval_s
    rare_s = RARELY * every_s

    def reclaim() -> None:
        soft_delete.reclaim(conf.reclaim_instance_interval, conf.operations.service_down_s)

    return [
        PeriodicTask(lambda: leftover_images.remove(image, volume), every_s, delay_s=every_s, name="leftover images"),
        PeriodicTask(lambda: leftover_volumes.take_back(volume), every_s, delay_s=every_s, name="leftover volumes"),
        PeriodicTask(lambda: shelf.clear(compute, conf.shelved_offload_time), rare_s, delay_s=every_s, name="shelf"),
        PeriodicTask(reclaim, every_s, name="reclaim"),
        PeriodicTask(
            lambda: unconfirmed.confirm(compute, conf.resize_confirm_window),
            every_s,
            delay_s=every_s,
            name="unconfirmed resizes",
        ),
    ]


def audit(
    conf: Any, binary: str, host: str, compute: ComputeRpcAPI, neighbours: tuple[ImageAPI, NetworkAPI, VolumeAPI],
    swept_s: Callable[[], float | None],
) -> list[PeriodicTask]:  # fmt: skip
    """The audit of the whole cloud, which one conductor does: of those that live the first by name.

    :param swept_s: seconds since this conductor swept.
    """
    doors = Doors(Hosts(compute), *neighbours)
    interval_s, down_s = conf.operations.audit_interval_s, conf.operations.service_down_s
    if not interval_s:
        return []

    def is_mine() -> bool:
        return host == min((each.host for each in services.list(binary) if is_up(each, down_s)), default=host)

    chore = Chore(lambda: gather.look(doors, down_s), is_mine, swept_s, conf.operations.metrics_file)
    return [PeriodicTask(chore.run, interval_s, delay_s=interval_s, name="audit")]
