"""Servers on the shelf whose image may be all there is of them, or their disk on the host."""

from __future__ import annotations

from typing import Any

from nova_lite.compute import actions
from nova_lite.compute.vm_states import ON_ITS_DISK
from nova_lite.db.api import instances, operations
from tests.harness.cloud import ADMIN, CONF, Cloud, until
from tests.harness.failpoints import chores
from tests.harness.failpoints import preparations as of


def softly_deleted(cloud: Cloud) -> str:
    """A server that was shelved on its host, and then deleted in a way that can be taken back."""
    server = of.shelved(cloud)
    CONF.set_override("reclaim_instance_interval", 3600)
    assert cloud.delete(f"/servers/{server}").status == 204
    cloud.wait(server, "SOFT_DELETED")
    return server


def offload(cloud: Cloud, server: str) -> Any:
    return cloud.act(server, "shelveOffload", token=ADMIN)


def offload_and_back(cloud: Cloud, server: str) -> Any:
    """Its dead host comes back when the server has left it."""
    try:
        return offload(cloud, server)
    finally:
        _is_over(server)
        chores.come_back(cloud, server)


def offload_without_image(cloud: Cloud, server: str) -> Any:
    """Somebody has removed the image, and brings it back when the host has been asked in vain."""
    image_id = str(_image_of(server))
    image = cloud.images.images.pop(image_id)
    try:
        return offload(cloud, server)
    finally:
        _is_over(server)
        keeps_its_disk(cloud, server)
        cloud.images.images[image_id] = image


def keeps_its_disk(cloud: Cloud, server: str) -> None:
    """Whatever came of it, the disk is in a whole image or on the server's host, once that is up."""

    def is_somewhere() -> bool:
        image = cloud.images.images.get(str(_image_of(server)))
        driver = cloud.drivers.get(str(instances.get(server).host))
        here = driver is not None and server in driver.disks
        return here or (image is not None and image.status == "active")

    until(is_somewhere, 10, lambda: f"the disk of {server} is nowhere")


def stays_off_the_shelf(cloud: Cloud, server: str) -> None:
    """A server that works again is not put back on the shelf when it is declared active."""
    keeps_its_disk(cloud, server)
    if instances.get(server).vm_state in ON_ITS_DISK:
        assert cloud.act(server, "os-resetState", {"state": "active"}, token=ADMIN).status == 202
        assert instances.get(server).vm_state == "active", f"{server} is on the shelf again"
    keeps_its_disk(cloud, server)


def _is_over(server: str) -> None:
    def is_over() -> bool:
        under_way = {each.action for each in operations.open_for_instance(server)}
        return actions.SHELVE_OFFLOAD.name not in under_way

    until(is_over, 30, lambda: f"it waits: {[each.message for each in operations.open_for_instance(server)]}")


def _image_of(server: str) -> Any:
    return instances.get(server).system_metadata.get("shelved_image_id")
