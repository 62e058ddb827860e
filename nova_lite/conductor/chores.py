"""What a conductor does now and then for nobody in particular; each finding is acted on once, whoever else looks."""

from __future__ import annotations

from typing import Any

from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.conductor import leftover_images, shelf
from nova_lite.conductor.tasks import soft_delete, unconfirmed
from nova_lite.image.api import API as ImageAPI
from nova_lite.manager import PeriodicTask

# Sweeps between two rounds of what is not urgent.
RARELY = 5


def periodic_tasks(conf: Any, compute: ComputeRpcAPI, image: ImageAPI) -> list[PeriodicTask]:
    """Images that nothing comes of, shelved servers on hosts, soft deletes whose time is over, forgotten resizes."""
    every_s = conf.operations.sweep_interval_s
    rare_s = RARELY * every_s

    def reclaim() -> None:
        soft_delete.reclaim(conf.reclaim_instance_interval, conf.operations.service_down_s)

    return [
        PeriodicTask(lambda: leftover_images.remove(image), every_s, delay_s=every_s, name="leftover images"),
        PeriodicTask(lambda: shelf.clear(compute, conf.shelved_offload_time), rare_s, delay_s=every_s, name="shelf"),
        PeriodicTask(reclaim, every_s, name="reclaim"),
        PeriodicTask(
            lambda: unconfirmed.confirm(compute, conf.resize_confirm_window),
            every_s,
            delay_s=every_s,
            name="unconfirmed resizes",
        ),
    ]
