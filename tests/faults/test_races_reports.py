"""What hosts report of themselves, on and on, while others claim, confirm and evacuate: no claim is lost (R32)."""

from __future__ import annotations

import dataclasses
import itertools
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import concurrency
from nova_lite.db.api import allocations, compute_nodes, instances
from tests.harness.cloud import ADMIN, IMAGE_ID, Cloud, until
from tests.harness.crowd import at_once

HOSTS = ("host1", "host2", "host3")
BODY = {"name": "counted", "imageRef": IMAGE_ID, "flavorRef": "42", "networks": "none"}


@pytest.fixture
def cloud(tmp_path: pathlib.Path) -> Iterator[Cloud]:
    with Cloud(tmp_path, hosts=len(HOSTS)) as running:
        yield running


class Reporters:
    """Each host says without a pause what it has, and each time something else than before; the API reads the books."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._over = concurrency.Event()
        self.reports: dict[str, int] = dict.fromkeys(HOSTS, 0)
        self.wrong: list[Any] = []
        self._loops = [concurrency.spawn(self._repeat, name) for name in HOSTS]
        self._loops.append(concurrency.spawn(self._audit))

    def _repeat(self, name: str) -> None:
        for turn in itertools.count():
            if self._over.is_set():
                return
            service = self._cloud.services.get(name)
            if service is None:
                concurrency.sleep(0.01)
                continue
            # as the periodic task does, but for a number that differs each time: an equal report would write nothing
            node = service.manager._tracker.node()
            compute_nodes.upsert(dataclasses.replace(node, running_vms=turn, disk_available_least=turn))
            self.reports[name] += 1
            concurrency.sleep(0)

    def _audit(self) -> None:
        """I4 holds at every moment, not only in the end."""
        while not self._over.is_set():
            self.wrong += allocations.audit()
            concurrency.sleep(0.002)

    def stop(self) -> None:
        self._over.set()
        for loop in self._loops:
            loop.wait(20)
        assert self.wrong == []


@pytest.fixture
def reporters(cloud: Cloud) -> Iterator[Reporters]:
    running = Reporters(cloud)
    try:
        yield running
        # On a busy machine the race may be over first; a loop that died never gets there.
        until(lambda: min(running.reports.values()) >= 20, 20, lambda: f"hardly a race: {running.reports}")
    finally:
        running.stop()
    cloud.wait_quiet()
    assert [node.generation > 20 for node in compute_nodes.list_all()] == [True] * len(HOSTS)


@pytest.fixture
def servers(cloud: Cloud, reporters: Reporters) -> list[str]:
    """Claimed while the hosts report."""
    answers = at_once(15, lambda _: cloud.post("/servers", {"server": BODY}))
    found = [str(answer.json["server"]["id"]) for answer in answers]
    for server in found:
        cloud.wait(server, "ACTIVE")
    return found


def _all(cloud: Cloud, servers: list[str], status: str) -> None:
    for server in servers:
        cloud.wait(server, status)


def test_claims_and_releases(cloud: Cloud, servers: list[str]) -> None:
    assert {answer.status for answer in at_once(15, lambda n: cloud.delete(f"/servers/{servers[n]}"))} == {204}
    for server in servers:
        cloud.wait_gone(server)
    assert allocations.list() == []


@pytest.mark.parametrize("end", ["confirmResize", "revertResize"])
def test_the_end_of_a_move(cloud: Cloud, servers: list[str], end: str) -> None:
    movers = servers[:8]
    assert set(at_once(8, lambda n: cloud.act(movers[n], "resize", {"flavorRef": "1"}).status)) == {202}
    _all(cloud, movers, "VERIFY_RESIZE")
    assert set(at_once(8, lambda n: cloud.act(movers[n], end).status)) <= {202, 204}
    _all(cloud, movers, "ACTIVE")
    until(lambda: len(allocations.list()) == len(servers), 20, lambda: str(allocations.list()))


def test_the_end_of_an_evacuation_and_the_return(cloud: Cloud, servers: list[str]) -> None:
    lost = [server for server in servers if instances.get(server).host == "host1"]
    assert lost
    cloud.silence("host1")
    answers = at_once(len(lost), lambda n: cloud.act(lost[n], "evacuate", {}, token=ADMIN).status)
    assert set(answers) == {200}
    _all(cloud, lost, "SHUTOFF")
    cloud.revive("host1")
    (node,) = compute_nodes.on_host("host1")
    until(lambda: not allocations.list(node.uuid), 20, lambda: "the dead host's claims are still there")
    assert compute_nodes.get(node.uuid).vcpus_used == 0
