"""Servers of which something is left: of a move that was given up, of a swap that nobody heard of, on another host."""

from __future__ import annotations

import collections
import functools
import threading
from collections.abc import Callable
from typing import Any

from nova_lite.compute.power_states import PowerState
from nova_lite.objects import BlockDevice, Instance
from nova_lite.virt.fake import FakeDriver
from nova_lite.virt.fake.base import FakeGuest
from nova_lite.virt.fake.volumes import FakeVolumes
from tests.harness.cloud import ADMIN, CTXT, Cloud, until
from tests.harness.failpoints import chores
from tests.harness.failpoints import preparations as of
from tests.harness.failpoints.preparations import Prepare

# What a disk of before was made of.
STALE = "stale"


def reset_in(call: str, first: Prepare, request: Callable[[Cloud, str], Any]) -> Prepare:
    """A server that was declared active while its host did the call; what that leaves behind is being seen to."""

    def prepare(cloud: Cloud) -> str:
        server = chores.under_way(call, first, request)(cloud)
        for driver in cloud.drivers.values():
            driver.plan.clear()
        assert cloud.act(server, "os-resetState", {"state": "active"}, token=ADMIN).status == 202
        return server

    return prepare


# -- what another host has still ------------------------------------------------------------------


def stale_elsewhere(first: Prepare, guest: bool = False) -> Prepare:
    """A server that can go to one other host only, which has a disk (and guest) of it of before."""

    def prepare(cloud: Cloud) -> str:
        server = first(cloud)
        home = (cloud.show(server) or {})["OS-EXT-SRV-ATTR:host"]
        there, *others = sorted({*cloud.drivers} - {home})
        for host in others:
            cloud.set_host(host, status="disabled")
        _leave(cloud.drivers[there], server, guest)
        return server

    return prepare


def _leave(driver: FakeDriver, server: str, guest: bool) -> None:
    assert driver._directory is not None
    driver._write(driver._directory / f"{server}.disk", STALE)
    driver.disks.add(server)
    driver.roots[server] = STALE
    if guest:
        driver.guests[server] = left = FakeGuest(server, "web", PowerState.SHUTDOWN, -1)
        driver._keep(left)


def not_stale(cloud: Cloud, server: str) -> None:
    """Whatever came of it, the server is not on that disk; then all hosts take servers again."""
    of.hosts_enabled(cloud, server)
    home = (cloud.show(server) or {})["OS-EXT-SRV-ATTR:host"]
    assert home is None or cloud.drivers[home].roots.get(server) != STALE, f"{server} is on what {home} had of before"


# -- swaps ----------------------------------------------------------------------------------------


def swapped_in_silence(cloud: Cloud) -> str:
    """A server whose guest has another volume since its host died in the middle of saying so; the host is back."""
    server = of.with_a_volume(of.booted)(cloud)
    cloud.volumes.make(CTXT)
    home = of.host_of(cloud, server)
    assert not _copies()[server]
    driver, done, dead = cloud.drivers[home], threading.Event(), threading.Event()
    swap = driver.swap_volume

    def dies(*args: Any) -> None:
        swap(*args)
        done.set()
        dead.wait(10)

    driver.swap_volume = dies  # type: ignore[method-assign]
    body = {"volumeAttachment": {"volumeId": of.free_volume(cloud)}}
    path = f"/servers/{server}/os-volume_attachments/{of.volumes_of(cloud, server)[-1]}"
    assert cloud.request("PUT", path, body, token=ADMIN).status == 202
    until(done.is_set, 10, lambda: "nothing is swapped")
    cloud.kill(home)
    dead.set()
    cloud.start_host(home)
    return server


def copied_once(cloud: Cloud, server: str) -> None:
    """Who copies again lays the old data over the newer ones. The guest has the new volume, as its row says."""
    assert _copies()[server] == 1, f"the old volume was copied over the new one {_copies()[server] - 1} time(s)"
    home = of.host_of(cloud, server)
    has, knows = [*cloud.drivers[home].guests[server].volumes], of.volumes_of(cloud, server)
    assert has == knows, f"the guest has {has}, its row {knows}"


@functools.cache
def _copies() -> collections.Counter[str]:
    """How often a volume of a server was copied into another, from the first call on."""
    counts: collections.Counter[str] = collections.Counter()
    swap = FakeVolumes.swap_volume

    def counting(driver: FakeVolumes, instance: Instance, old: BlockDevice, new: BlockDevice) -> None:
        guest = driver.guests.get(instance.uuid)
        counts[instance.uuid] += guest is None or str(new.volume_id) not in guest.volumes
        swap(driver, instance, old, new)

    FakeVolumes.swap_volume = counting  # type: ignore[method-assign]
    return counts
