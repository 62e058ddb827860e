"""Two who want different things of one server at once: one wins, the other is told that it came late (R17, R18).

A pair is asked for in many rounds, so that both orders and the moments between them happen.
"""

from __future__ import annotations

import collections
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from nova_lite import concurrency, exception, failpoints, quota
from nova_lite.db.api import instances, operations
from tests.harness.cloud import ADMIN, CTXT, IMAGE_ID, PROJECT, USER, Answer, Cloud, until
from tests.harness.crowd import at_once
from tests.harness.failpoints.breaker import passing

BODY = {"name": "racer", "imageRef": IMAGE_ID, "flavorRef": "42", "networks": "none"}
ROUNDS = 4


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=2) as running:
        running.start_conductor("conductor-b")
        yield running


@pytest.fixture(autouse=True)
def consistent(cloud: Cloud) -> Iterator[None]:
    """After each test the servers are gone, and the oracle finds nothing wrong."""
    yield
    failpoints.disarm()
    for driver in cloud.drivers.values():
        driver.plan.clear()
    cloud.delete_servers()
    cloud.wait_quiet()
    assert all(not driver.guests and not driver.list_disks() for driver in cloud.drivers.values())
    assert quota.usage(PROJECT)["instances"] == 0


Ask = Callable[[Cloud, str], Answer]


def act(action: str, body: Any = None, token: str = USER) -> Ask:
    return lambda cloud, server: cloud.act(server, action, body, token=token)


def delete(cloud: Cloud, server: str) -> Answer:
    return cloud.delete(f"/servers/{server}")


REBOOT, STOP = act("reboot", {"type": "HARD"}), act("os-stop")
RESIZE, MIGRATE = act("resize", {"flavorRef": "1"}), act("migrate", token=ADMIN)
CONFIRM, REVERT = act("confirmResize"), act("revertResize")
REBUILD, SHELVE, PAUSE = act("rebuild", {"imageRef": IMAGE_ID}), act("shelve"), act("pause")
SNAPSHOT = act("createImage", {"name": "picture"})
LIVE = act("os-migrateLive", {"host": None, "block_migration": "auto"}, ADMIN)


@dataclass(frozen=True)
class Pair:
    """``asks`` come at once to a server in ``status``; ``accepted`` are the numbers of 2xx there may be.

    ``ends`` are the statuses in which the server may rest; None is gone.
    """

    name: str
    asks: tuple[Ask, ...]
    ends: frozenset[str | None]
    accepted: frozenset[int] = frozenset({1})
    status: str = "ACTIVE"

    @property
    def refusals(self) -> frozenset[int]:
        """A word on a resize whose move has found its end already is Nova's 400."""
        return frozenset(
            {409} | ({404} if self.ends == {None} else set()) | ({400} if self.status != "ACTIVE" else set())
        )


def pair(name: str, *asks: Ask, ends: str, accepted: tuple[int, ...] = (1,), status: str = "ACTIVE") -> Pair:
    found = frozenset(None if word == "gone" else word for word in ends.split())
    return Pair(name, asks, found, frozenset(accepted), status)


PAIRS = (
    pair("two resizes", RESIZE, RESIZE, ends="VERIFY_RESIZE"),
    pair("resize and migrate", RESIZE, MIGRATE, ends="VERIFY_RESIZE"),
    pair("two live migrations", LIVE, LIVE, ends="ACTIVE"),
    pair("live and cold migration", LIVE, MIGRATE, ends="ACTIVE VERIFY_RESIZE"),
    pair("two hard reboots and a stop", REBOOT, REBOOT, STOP, ends="ACTIVE SHUTOFF", accepted=(1, 2, 3)),
    pair("stop and pause", STOP, PAUSE, ends="SHUTOFF PAUSED"),
    pair("rebuild and shelve", REBUILD, SHELVE, ends="ACTIVE SHELVED_OFFLOADED", accepted=(1, 2)),
    pair("snapshot and resize", SNAPSHOT, RESIZE, ends="ACTIVE VERIFY_RESIZE"),
    pair("confirm and revert", CONFIRM, REVERT, ends="ACTIVE", status="VERIFY_RESIZE"),
    pair("confirm twice and revert twice", CONFIRM, REVERT, CONFIRM, REVERT, ends="ACTIVE", status="VERIFY_RESIZE"),
    # a delete wins, whether the other was accepted before or refused after it
    pair("five deletes", *[delete] * 5, ends="gone", accepted=(1, 2, 3, 4, 5)),
    pair("reboot and delete", REBOOT, delete, ends="gone", accepted=(1, 2)),
    pair("resize and delete", RESIZE, delete, ends="gone", accepted=(1, 2)),
    pair("live migration and delete", LIVE, delete, ends="gone", accepted=(1, 2)),
    pair("shelve and delete", SHELVE, delete, ends="gone", accepted=(1, 2)),
    pair("confirm and delete", CONFIRM, delete, ends="gone", accepted=(1, 2), status="VERIFY_RESIZE"),
    pair("revert and delete", REVERT, delete, ends="gone", accepted=(1, 2), status="VERIFY_RESIZE"),
)


@pytest.mark.parametrize("case", PAIRS, ids=lambda case: case.name)
def test_of_those_who_come_at_once_one_wins(cloud: Cloud, case: Pair) -> None:
    for _ in range(ROUNDS):
        server = str(cloud.boot(networks="none")["id"])
        if case.status == "VERIFY_RESIZE":
            assert RESIZE(cloud, server).status == 202
            cloud.wait(server, case.status)
        answers = at_once(len(case.asks), lambda n, server=server: case.asks[n](cloud, server))
        refused = [answer for answer in answers if answer.status >= 300]
        assert len(answers) - len(refused) in case.accepted, [answer.status for answer in answers]
        for answer in refused:
            assert answer.status in case.refusals, answer.body
            assert next(iter(answer.json.values()))["message"]
        _rests(cloud, server, case.ends)
        # one open operation a server at a time; what was accepted ended, and says how (I9)
        log = operations.list_for_instance(server)
        assert all(operation.finish_time is not None for operation in log)
        accepted = [operation for operation in log if operation.action not in ("create", "delete")]
        assert len(accepted) <= len(case.asks) + 1
        cloud.wait_quiet()


def _rests(cloud: Cloud, server: str, ends: frozenset[str | None]) -> None:
    if ends == {None}:
        cloud.wait_gone(server)
        return

    def there() -> bool:
        shown = cloud.show(server)
        return shown is not None and shown["OS-EXT-STS:task_state"] is None and shown["status"] in ends

    until(there, 20, lambda: f"rests in none of {ends}: {cloud.show(server)}")


def test_two_deletes_are_one(cloud: Cloud) -> None:
    server = str(cloud.boot(networks="none")["id"])
    assert {answer.status for answer in at_once(10, lambda _: delete(cloud, server))} <= {204, 404}
    cloud.wait_gone(server)
    assert [each.action for each in operations.list_for_instance(server)] == ["delete", "create"]
    destroyed = [call for driver in cloud.drivers.values() for call in driver.plan.calls if call == ("destroy", server)]
    assert len(destroyed) == 1, "its guest was taken apart twice"


# -- volumes --------------------------------------------------------------------------------------------------------


def _volumes_path(server: str, volume: str = "") -> str:
    return f"/servers/{server}/os-volume_attachments" + (f"/{volume}" if volume else "")


def _attach(cloud: Cloud, server: str, volume: str) -> int:
    return cloud.post(_volumes_path(server), {"volumeAttachment": {"volumeId": volume}}).status


def _volume_is(cloud: Cloud, volume: str, *statuses: str) -> None:
    def status() -> str:
        return str(cloud.volumes.show(volume)["status"])

    until(lambda: status() in statuses, 20, lambda: f"volume {volume} is {status()}, not {statuses}")


def test_one_volume_is_attached_once_and_detached_once(cloud: Cloud) -> None:
    """By four at once to the same server, by four to two servers; then detached by four."""
    servers = [str(cloud.boot(networks="none")["id"]) for _ in range(2)]
    for targets in ([servers[0]] * 4, servers * 2):
        volume = cloud.volumes.make(CTXT)
        answers = collections.Counter(
            at_once(4, lambda n, targets=targets, volume=volume: _attach(cloud, targets[n], volume))
        )
        assert answers.pop(202, 0) == 1, answers
        assert set(answers) <= {400, 409}, answers
        _volume_is(cloud, volume, "in-use")
        cloud.wait_quiet()  # what is not connected yet may be asked back again and again
        (home,) = _holders(cloud, servers, volume)
        detached = at_once(
            4, lambda _, home=home, volume=volume: cloud.delete(_volumes_path(home, volume)).status
        )  # fmt: skip
        assert detached.count(202) == 1 and set(detached) <= {202, 400, 404, 409}, detached
        _volume_is(cloud, volume, "available")
        cloud.wait_quiet()
        detaches = [each for each in operations.list_for_instance(home) if each.action == "detach_volume"]
        assert detaches[0].state == "done" and cloud.volumes.show(volume)["status"] == "available"


def _holders(cloud: Cloud, servers: list[str], volume: str) -> list[str]:
    return [server for server in servers if cloud.get(_volumes_path(server, volume)).status == 200]


def test_attach_and_delete_at_once(cloud: Cloud) -> None:
    for _ in range(ROUNDS):
        server, volume = str(cloud.boot(networks="none")["id"]), cloud.volumes.make(CTXT)
        statuses = at_once(
            2,
            lambda n, server=server, volume=volume: (
                _attach(cloud, server, volume) if n else delete(cloud, server).status
            ),
        )
        assert statuses[0] == 204 and statuses[1] in (202, 404, 409), statuses
        cloud.wait_gone(server)
        _volume_is(cloud, volume, "available")


# -- create then delete ---------------------------------------------------------------------------------------------


class Deleter:
    """Sends a DELETE when a service passes its ``nth`` failpoint, and gives it some time to win."""

    def __init__(self, cloud: Cloud, nth: int) -> None:
        self._cloud, self._left = cloud, nth
        self.passed: list[str] = []
        self.server: str | None = None
        self.answers: list[concurrency.Handle] = []
        self._born = concurrency.Event()
        self._lock = concurrency.Lock()
        failpoints.arm(self.hit)

    def hit(self, point: str) -> None:
        who = passing()
        if who is None or who[0] == "api" or not self._born.is_set():
            return  # what a former server leaves to do may hold the lock that the new one's request waits for
        with self._lock:
            self.passed.append(f"{who[0]}/{point}")
            self._left -= 1
            if self._left != 0:
                return
        answer = concurrency.spawn(delete, self._cloud, str(self.server))
        self.answers.append(answer)
        # who stands at a point inside a transaction of SQLite keeps the delete waiting: go on
        answer.exception(0.05) if point != "db.before_commit" else None

    def boot(self) -> str:
        answer = self._cloud.post("/servers", {"server": {**BODY, "networks": "auto"}})
        assert answer.status == 202, answer.body
        self.server = str(answer.json["server"]["id"])
        self._born.set()
        return self.server


def test_a_delete_at_every_failpoint_of_a_build_leaves_nothing(cloud: Cloud) -> None:
    counting = Deleter(cloud, 0)
    server = counting.boot()
    cloud.wait(server, "ACTIVE")
    failpoints.disarm()
    delete(cloud, server)
    cloud.wait_gone(server)
    points = len(counting.passed)
    assert points > 20, counting.passed
    reached = 0
    for nth in range(1, points + 1):
        deleting = Deleter(cloud, nth)
        server = deleting.boot()
        until(
            lambda deleting=deleting, server=server: deleting.answers or _is_built(server),
            10, lambda nth=nth: f"stuck before point {nth}",
        )  # fmt: skip
        failpoints.disarm()
        if not deleting.answers:
            delete(cloud, server)  # this time fewer points were passed
        for answer in deleting.answers:
            assert answer.wait(20).status == 204
            reached += 1
        cloud.wait_gone(server)
        assert {each.action for each in operations.list_for_instance(server)} == {"create", "delete"}
    assert reached >= 0.8 * points, f"of {points} moments only {reached} were struck"


def _is_built(server: str) -> bool:
    try:
        return instances.get(server).vm_state in ("active", "error")
    except exception.InstanceNotFound:
        return True


@pytest.mark.parametrize("slow", ["create_disks", "spawn", None])
def test_a_delete_after_every_delay_leaves_nothing(cloud: Cloud, slow: str | None) -> None:
    """Fifteen builds side by side, each deleted some milliseconds later than the one before."""
    for driver in cloud.drivers.values():
        if slow:
            driver.plan.delay(slow, 0.03)

    def boot_and_delete(number: int) -> str:
        server = str(cloud.post("/servers", {"server": {**BODY, "networks": "auto"}}).json["server"]["id"])
        concurrency.sleep(number * 0.01)
        assert delete(cloud, server).status == 204
        return server

    for server in at_once(15, boot_and_delete):
        cloud.wait_gone(server)


# -- what a creation needs, taken away meanwhile --------------------------------------------------------------------


def test_a_flavor_that_is_deleted_while_servers_are_made_of_it(cloud: Cloud) -> None:
    for _ in range(ROUNDS):
        flavor = f"racer-{uuid.uuid4().hex[:8]}"
        body = {"flavor": {"id": flavor, "name": flavor, "ram": 64, "vcpus": 1, "disk": 0}}
        assert cloud.post("/flavors", body, token=ADMIN).status == 200

        def work(number: int, flavor: str = flavor) -> Answer:
            if number == 5:
                return cloud.delete(f"/flavors/{flavor}", token=ADMIN)
            return cloud.post("/servers", {"server": {**BODY, "flavorRef": flavor}})

        answers = at_once(10, work)
        assert answers.pop(5).status == 202
        assert {answer.status for answer in answers} <= {202, 400}
        made = [answer.json["server"]["id"] for answer in answers if answer.status == 202]
        for server in made:
            assert cloud.wait(server, "ACTIVE")["flavor"]["original_name"] == flavor
        assert quota.usage(PROJECT)["instances"] == len(cloud.get("/servers").json["servers"])
        for server in made:
            delete(cloud, server)
            cloud.wait_gone(server)


def test_an_aggregate_that_goes_while_servers_are_made_in_its_zone(cloud: Cloud) -> None:
    """A creation is accepted or refused; who is accepted runs in the zone, or says that there was no host."""
    for _ in range(ROUNDS):
        zone = f"zone-{uuid.uuid4().hex[:8]}"
        body = {"aggregate": {"name": zone, "availability_zone": zone}}
        number = cloud.post("/os-aggregates", body, token=ADMIN).json["aggregate"]["id"]
        path = f"/os-aggregates/{number}"
        assert cloud.post(f"{path}/action", {"add_host": {"host": "host2"}}, token=ADMIN).status == 200

        def work(turn: int, path: str = path, zone: str = zone) -> Answer:
            if turn == 4:
                removed = cloud.post(f"{path}/action", {"remove_host": {"host": "host2"}}, token=ADMIN)
                # Nova's rule, ours too: a host with servers in the zone stays in it
                return cloud.delete(path, token=ADMIN) if removed.status == 200 else removed
            return cloud.post("/servers", {"server": {**BODY, "availability_zone": zone}})

        answers = at_once(10, work)
        assert answers.pop(4).status in (200, 409)
        assert {answer.status for answer in answers} <= {202, 400}
        for server in [answer.json["server"]["id"] for answer in answers if answer.status == 202]:
            until(lambda server=server: _is_built(server), 20, lambda server=server: f"still being built: {server}")
            row = instances.get(server)
            assert row.host == "host2" or (row.fault and "No valid host" in row.fault.message)
            delete(cloud, server)
            cloud.wait_gone(server)
        if cloud.get(path, token=ADMIN).status == 200:
            cloud.post(f"{path}/action", {"remove_host": {"host": "host2"}}, token=ADMIN)
            assert cloud.delete(path, token=ADMIN).status == 200


def test_one_key_said_twenty_times_at_once_is_one_server(cloud: Cloud) -> None:
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    answers = at_once(20, lambda _: cloud.post("/servers", {"server": BODY}, headers=headers))
    assert {answer.status for answer in answers} == {202}
    assert len({answer.body for answer in answers}) == 1
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert len(cloud.get("/servers").json["servers"]) == quota.usage(PROJECT)["instances"] == 1
