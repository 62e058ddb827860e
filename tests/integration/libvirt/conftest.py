"""One libvirtd for a module's tests; a driver, an image service and a server for each."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from nova_lite.objects import ImageMeta, Instance, Vif
from nova_lite.virt.event import LifecycleEvent
from tests.harness import hypervisor
from tests.harness.guest import nano
from tests.harness.hypervisor import Hypervisor, Images, make_server, make_vif, wait_for_login

if TYPE_CHECKING:
    from nova_lite.virt.libvirt.driver import LibvirtDriver


@pytest.fixture(scope="module")
def hv() -> Iterator[Hypervisor]:
    made = Hypervisor()
    yield made
    made.close()


@pytest.fixture
def images() -> Images:
    return Images()


@pytest.fixture
def heard() -> list[LifecycleEvent]:
    return []


@pytest.fixture
def driver(hv: Hypervisor, tmp_path: pathlib.Path, images: Images, heard: list[Any]) -> Iterator[LibvirtDriver]:
    made = hypervisor.make_driver(hv.uri, tmp_path, images)
    made.register_event_listener(heard.append)
    yield made
    made.close()


@pytest.fixture
def image(tmp_path: pathlib.Path, images: Images) -> ImageMeta:
    return images.add(nano.build(tmp_path), "raw")


@pytest.fixture
def vifs() -> tuple[Vif, ...]:
    return (make_vif(),)


@pytest.fixture
def server(driver: LibvirtDriver, image: ImageMeta) -> Iterator[Instance]:
    """A server with disks, not yet running; gone afterwards, however far the test brought it."""
    made = make_server(image)
    driver.create_disks(None, made)
    yield made
    driver.destroy(made)
    driver.delete_disks(made)


@pytest.fixture
def running(driver: LibvirtDriver, server: Instance, vifs: tuple[Vif, ...]) -> Instance:
    driver.spawn(server, vifs)
    wait_for_login(driver, server)
    return server
