"""THE REPLAY against the whole cloud in one process: every call of the contract's first tier, none left out."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest

from nova_lite import concurrency
from nova_lite.api.openstack.routes import ROUTES
from tests.harness.cloud import ADMIN, IMAGE_ID, PROJECT, USER, Cloud, until
from tests.harness.contract import between, fields, material, report
from tests.harness.contract.endpoint import WsgiEndpoint
from tests.harness.contract.material import Call
from tests.harness.contract.replay import Replay, later_tiers
from tests.harness.contract.report import Outcome, Verdict
from tests.harness.contract.world import PUBLIC_KEY, World

try:
    material.location()
except material.ContractMissing as error:
    pytest.skip(str(error), allow_module_level=True)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

# What the embedded profile has not got, and how many calls of the first tier need it. A smaller number is progress.
BLOCKED: dict[str, int] = {}
# Server actions of later tiers that this release has.
HAS = tuple(
    f"POST /servers/{{id}}/action {route.action}" for route in ROUTES
    if route.path == "/servers/{id}/action" and not route.handler.startswith("retired:")
)  # fmt: skip


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    # A shelved server stays where it is, and a deleted one waits, so that what is done to them can be replayed.
    options = {"DEFAULT": {"shelved_offload_time": -1, "reclaim_instance_interval": 5}}
    with Cloud(tmp_path_factory.mktemp("replay"), hosts=2, options=options) as running:
        for driver in running.drivers.values():
            driver.plan.delay("live_migrate_round", 0.05)  # so that a live migration can be seen under way
        yield running


@pytest.fixture(scope="module")
def endpoint(cloud: Cloud) -> WsgiEndpoint:
    return WsgiEndpoint(cloud.app, {"member": {"X-Auth-Token": USER}, "admin": {"X-Auth-Token": ADMIN}})


@pytest.fixture(scope="module")
def world(cloud: Cloud, endpoint: WsgiEndpoint) -> Iterator[World]:
    made = World(
        endpoint, IMAGE_ID, timeout_s=20, sleep=concurrency.sleep, network=cloud.networks.first_network(),
        neutron=lambda method, path, body: cloud.networks.ask(PROJECT, method, path, body),
        cinder=lambda method, path, body: cloud.volumes.ask(PROJECT, method, path, body),
    )  # fmt: skip
    yield made
    made.close()


def _assert_passed(outcomes: list[Outcome], calls: list[Call]) -> None:
    print(report.table(outcomes))
    assert [outcome.call for outcome in outcomes] == calls
    failed = [outcome for outcome in outcomes if outcome.verdict == Verdict.FAILED]
    assert not failed, report.notes(failed)


def test_the_first_tier(endpoint: WsgiEndpoint, world: World) -> None:
    calls = material.calls_of("T1")
    assert len(calls) > 400
    outcomes = Replay(endpoint, world).run(calls)
    _assert_passed(outcomes, calls)
    lacking: dict[str, int] = {}
    for outcome in outcomes:
        if outcome.verdict == Verdict.BLOCKED:
            what = outcome.details[0].removeprefix("the endpoint has not got ")
            lacking[what] = lacking.get(what, 0) + 1
    assert lacking == BLOCKED


def test_the_actions_of_later_tiers_that_are_here(endpoint: WsgiEndpoint, world: World) -> None:
    calls = [call for call in material.calls_of("T2", "T3") if call.operation in HAS]
    assert {call.operation for call in calls} == {each for each in HAS if material.operations()[each]["tier"] != "T1"}
    outcomes = Replay(endpoint, world).run(calls)
    _assert_passed(outcomes, calls)
    assert {outcome.verdict for outcome in outcomes} <= {Verdict.PASSED, Verdict.ABOVE}


def test_the_calls_of_later_tiers_that_are_here(endpoint: WsgiEndpoint, world: World) -> None:
    """Managing flavors, and what clients and operators read."""
    calls = [call for call in material.calls_of("T2", "T3") if call.operation in later_tiers()]
    assert {call.operation for call in calls} == later_tiers()
    outcomes = Replay(endpoint, world).run(calls)
    _assert_passed(outcomes, calls)
    assert {outcome.verdict for outcome in outcomes} <= {Verdict.PASSED, Verdict.ABOVE}


def test_every_routed_call_of_later_tiers_is_replayed() -> None:
    """A new route needs a preparer, or the reason why its fixtures cannot be replayed."""

    def bare(path: str) -> str:
        return re.sub(r"\{\w+\}", "{}", path)

    routed = {
        (route.method, bare(route.path), route.action) for route in ROUTES if not route.handler.startswith("retired:")
    }
    here = {
        call.operation for call in material.calls_of("T2", "T3")
        for entry in [material.operations()[call.operation]]
        if (entry["method"], bare(entry["path"]), entry.get("action")) in routed
    }  # fmt: skip
    assert here <= {*HAS, *later_tiers()}


def test_every_operation_between_its_listed_versions(endpoint: WsgiEndpoint, world: World) -> None:
    """At random versions of its range: no field before its time, none after its end, none missing."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    replayed = {call.operation for call in material.calls_of("T1")} | {*HAS} | later_tiers()
    calls = between.choose(replayed, 2, random.Random(seed))
    assert len({call.operation for call in calls}) > 0.9 * len(replayed)
    _without_servers(endpoint)  # some calls need a host without servers
    outcomes = between.Between(endpoint, world).run(calls)
    bad = [outcome for outcome in outcomes if outcome.verdict is not Verdict.PASSED]
    assert not bad, f"seed {seed}\n" + report.notes(bad)


def _without_servers(endpoint: WsgiEndpoint) -> None:
    def left() -> list[str]:
        return [each["id"] for each in endpoint.call("admin", "GET", "/v2.1/servers?all_tenants=1").body["servers"]]

    for server in left():  # one or the other may be on its way already
        endpoint.call("admin", "POST", f"/v2.1/servers/{server}/action", {"forceDelete": None})
    until(lambda: not left(), 20, lambda: f"still there: {left()}")


READS = (
    "GET /flavors", "GET /flavors/detail", "GET /flavors/{id}", "GET /limits", "GET /os-keypairs",
    "GET /os-keypairs/{id}", "GET /servers", "GET /servers/detail", "GET /servers/{id}",
)  # fmt: skip


@pytest.mark.parametrize("operation", READS)
def test_fields_at_random_microversions(endpoint: WsgiEndpoint, world: World, operation: str) -> None:
    """No field before its time, none after it, none missing, for both roles; the seed is in the message."""
    seed = random.randrange(10**6)
    chosen = random.Random(seed).sample(range(1, 105), 12)
    ids = {
        "GET /flavors/{id}": world.flavor(), "GET /os-keypairs/{id}": world.keypair("member"),
        "GET /servers/{id}": world.subject("ACTIVE"),
    }  # fmt: skip
    world.subject("ACTIVE")
    path = "/v2.1" + operation.split()[1].replace("{id}", ids.get(operation, ""))
    for minor in sorted({1, 96, 104, *chosen}):
        for role in ("member",) if "keypairs/" in operation else ("member", "admin"):
            reply = endpoint.call(role, "GET", path, version=f"2.{minor}")
            assert reply.status == 200, f"seed {seed}: {reply.message}"
            problems = fields.check(operation, (2, minor), reply.body, role)
            assert problems == [], f"seed {seed}, {operation} at 2.{minor} as {role}"


def test_writes_at_random_microversions(endpoint: WsgiEndpoint, world: World) -> None:
    """What creating and changing a server and a keypair answers, field by field; the seed is in the message."""
    seed = random.randrange(10**6)
    for minor in sorted({1, 96, 104, *random.Random(seed).sample(range(1, 105), 8)}):
        version, where = f"2.{minor}", f"seed {seed}, at 2.{minor}"
        body = {"name": "random", "imageRef": IMAGE_ID, "flavorRef": world.flavor()}
        created = endpoint.call("member", "POST", "/v2.1/servers", {"server": body | _networks(minor)}, version)
        assert created.status == 202, f"{where}: {created.message}"
        assert fields.check("POST /servers", (2, minor), created.body) == [], where
        server = created.body["server"]["id"]
        world.wait(server, "ACTIVE")
        changed = endpoint.call("member", "PUT", f"/v2.1/servers/{server}", {"server": {"name": "new"}}, version)
        assert changed.status == 200, f"{where}: {changed.message}"
        assert fields.check("PUT /servers/{id}", (2, minor), changed.body) == [], where
        world.delete(server)
        key = {"keypair": {"name": world.unique("k-"), "public_key": PUBLIC_KEY}}
        made = endpoint.call("member", "POST", "/v2.1/os-keypairs", key, version)
        assert made.status == (200 if minor == 1 else 201), f"{where}: {made.message}"
        assert fields.check("POST /os-keypairs", (2, minor), made.body) == [], where


def _networks(minor: int) -> dict[str, str]:
    """Required from 2.37."""
    return {"networks": "auto"} if minor >= 37 else {}
