"""R25: clocks that jump, and clocks of hosts that disagree, kill nobody and take nobody's work away."""

from __future__ import annotations

import datetime
import pathlib
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from nova_lite import clock, liveness
from nova_lite.db import clock as database_clock
from nova_lite.db.api import console_tokens, instances, operations
from nova_lite.manager import Manager
from nova_lite.objects import Operation
from tests.harness.cloud import ADMIN, Cloud, until

HOUR_S = 3600.0
DOWN_S = 2.0
TRUE = {"operations": {"heartbeat_interval_s": 0.2, "sweep_interval_s": 0.2, "lease_s": 2.0, "service_down_s": DOWN_S}}


class Clocks:
    """A wall clock for each daemon, by the name of its manager's host; what is no daemon's has ``everywhere``."""

    def __init__(self) -> None:
        self.wrong: dict[str, float] = {}
        self.everywhere = 0.0

    def monotonic(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time() + self.everywhere + (self.wrong.get(_daemon(), 0.0) if self.wrong else 0.0)


def _daemon() -> str:
    frame = sys._getframe(2)
    while frame is not None:
        me = frame.f_locals.get("self")
        if isinstance(me, Manager):
            return me.host
        frame = frame.f_back  # type: ignore[assignment]
    return "api"


@pytest.fixture
def clocks() -> Iterator[Clocks]:
    made = Clocks()
    clock.use(made)
    yield made
    clock.use(time)


@pytest.fixture
def cloud(tmp_path: pathlib.Path, clocks: Clocks) -> Iterator[Cloud]:
    with Cloud(tmp_path, hosts=2, options=TRUE) as running:
        yield running


def _database_says(monkeypatch: pytest.MonkeyPatch, wall: Callable[[], float]) -> None:
    """The database is on a machine of its own."""
    database_clock.now()
    assert database_clock._current is not None

    def ask() -> datetime.datetime:
        return datetime.datetime.fromtimestamp(wall(), datetime.UTC).replace(tzinfo=None)

    monkeypatch.setattr(database_clock._current[1], "_ask", ask)


def _watch() -> None:
    """As whoever looks regularly: it has seen everybody beat."""
    for _ in range(10):
        assert liveness.dead_hosts(DOWN_S) == frozenset()
        time.sleep(0.1)


def _all_of(uuid: str) -> list[Operation]:
    return operations.list_for_instance(uuid)


def test_daemons_whose_clocks_disagree_work_together(
    cloud: Cloud, clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database's machine has the one clock that counts."""
    _database_says(monkeypatch, time.time)
    cloud.start_conductor("conductor2")
    clocks.wrong.update({"conductor": HOUR_S, "scheduler": HOUR_S, "host2": HOUR_S, "api": HOUR_S})
    clocks.wrong.update({"conductor2": -HOUR_S, "host1": -HOUR_S})
    for driver in cloud.drivers.values():
        driver.plan.delay("spawn", 1.0)
    servers = [cloud.boot(wait=None)["id"] for _ in range(4)]
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        assert liveness.dead_hosts(DOWN_S) == frozenset()
        time.sleep(0.05)
    for server in servers:
        cloud.wait(server, "ACTIVE")
        assert cloud.act(server, "os-stop").status == 202
    for server in servers:
        cloud.wait(server, "SHUTOFF")
        assert {(each.retries, each.state) for each in _all_of(server)} == {(0, "done")}
    spawned = [call for driver in cloud.drivers.values() for call in driver.plan.calls if call[0] == "spawn"]
    assert len(spawned) == 4
    cloud.wait_quiet()


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S], ids=["forward", "back"])
def test_a_jump_in_the_middle_takes_no_work_away_and_buries_nobody(cloud: Cloud, clocks: Clocks, jump_s: float) -> None:
    """Of the machine that everything runs on, the database's clock included."""
    for driver in cloud.drivers.values():
        driver.plan.delay("spawn", 1.0)
    _watch()
    server = cloud.boot(wait=None)["id"]
    until(lambda: instances.get(server).task_state == "spawning", 10, lambda: "the build never began")
    clocks.everywhere = jump_s
    end = time.monotonic() + 0.8
    while time.monotonic() < end:
        assert liveness.dead_hosts(DOWN_S) == frozenset()
        shown = cloud.get("/os-services?binary=nova-compute", token=ADMIN).json["services"]
        assert {each["state"] for each in shown} == {"up"}
        time.sleep(0.05)
    cloud.wait(server, "ACTIVE")
    (build,) = _all_of(server)
    assert (build.retries, build.state, build.args.get("builds", 0)) == (0, "done", 0)
    # What was written down has the times that the clock showed.
    until(lambda: _quiet(cloud), 20, lambda: "\n".join(cloud.violations()))


def _quiet(cloud: Cloud) -> bool:
    return all("in disorder" in violation for violation in cloud.violations())


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S], ids=["forward", "back"])
def test_who_dies_after_a_jump_is_missed_in_time(cloud: Cloud, clocks: Clocks, jump_s: float) -> None:
    _watch()
    clocks.everywhere = jump_s
    cloud.kill("host1")
    died_at = time.monotonic()
    until(lambda: liveness.dead_hosts(DOWN_S) == {"host1"}, 10, lambda: "nobody misses it", pause_s=0.05)
    assert time.monotonic() - died_at > DOWN_S / 2
    cloud.start_host("host1")


def test_a_console_token_is_good_for_its_time_whatever_the_api_hosts_think(
    cloud: Cloud, clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = {"now": time.time()}
    _database_says(monkeypatch, lambda: true["now"])
    server = cloud.boot()["id"]
    clocks.wrong["api"] = HOUR_S
    body = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
    answer = cloud.post(f"/servers/{server}/remote-consoles", body)
    token = answer.json["remote_console"]["url"].rpartition("token%3D")[2]
    clocks.wrong["api"] = -HOUR_S
    assert console_tokens.validate(token).instance_uuid == server
    true["now"] += 599
    assert console_tokens.validate(token).instance_uuid == server
    true["now"] += 2
    assert cloud.get(f"/os-console-auth-tokens/{token}", token=ADMIN).status == 404
