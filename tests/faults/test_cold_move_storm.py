"""A storm of cold moves with hosts dying in it, drawn from a seed: whatever was accepted ends, and the books agree."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from nova_lite import concurrency
from nova_lite.compute.action_row import Backoff
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, Cloud, until

_CALLS = (
    "migrate_disk_and_power_off", "finish_migration", "confirm_migration", "revert_migration",
    "finish_revert_migration",
)  # fmt: skip
_HOSTS = ("host1", "host2", "host3")
_TURNS = 50


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    options = {"operations": {"service_down_s": 4.0}, "DEFAULT": {"allow_resize_to_same_host": True}}
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=len(_HOSTS), options=options) as running:
        yield running


def _turn(cloud: Cloud, dice: random.Random, servers: list[str]) -> None:
    """Something happens: a request (which may be refused), or a fault."""
    server = dice.choice(servers)
    match dice.randrange(20):
        case 0 | 1 | 2 | 3 | 4:
            cloud.act(server, "resize", {"flavorRef": dice.choice(["42", "1", "2"])})
        case 5 | 6 | 7:
            cloud.act(server, "migrate", token=ADMIN)
        case 8 | 9 | 10 | 11:
            cloud.act(server, "confirmResize")
        case 12 | 13 | 14:
            cloud.act(server, "revertResize")
        case 15:
            cloud.act(server, "os-resetState", {"state": "active"}, token=ADMIN)
        case 16:
            call, host = dice.choice(_CALLS), dice.choice(_HOSTS)
            cloud.drivers[host].plan.add(FaultRule(call, FaultKind.RAISE, 1))
        case 17 | 18:
            host = dice.choice(_HOSTS)
            cloud.kill(host)
            driver = cloud.start_host(host)
            driver.plan.delay(dice.choice(_CALLS), 0.1)
        case _:
            cloud.delete(f"/servers/{server}")
            cloud.wait_gone(server, 30)
            servers.remove(server)
            servers.append(cloud.boot(wait=None)["id"])


@pytest.mark.parametrize("seed", [1, 2])
def test_a_storm(cloud: Cloud, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backoff, "rest_s", lambda *_: 0.1)
    dice = random.Random(seed)
    servers = [cloud.boot()["id"] for _ in range(4)]
    for _ in range(_TURNS):
        _turn(cloud, dice, servers)
        concurrency.sleep(dice.choice([0.0, 0.05, 0.2]))
    for name in _HOSTS:
        # What a reset left behind is found by a host that starts.
        cloud.stop(name)
        cloud.start_host(name)
    cloud.wait_quiet(30)
    for server in servers:
        shown = cloud.show(server)
        assert shown is not None and shown["status"] in ("ACTIVE", "VERIFY_RESIZE", "SHUTOFF"), shown
        cloud.delete(f"/servers/{server}")
    for server in servers:
        cloud.wait_gone(server, 30)
    cloud.wait_quiet(30)
    until(
        lambda: not any(driver.list_disks() or driver.guests for driver in cloud.drivers.values()), 10,
        lambda: f"left over: {[driver.list_disks() for driver in cloud.drivers.values()]}",
    )  # fmt: skip
