"""Live migration, its abort and its force: through the whole cloud, on several fake hosts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.db.api import allocations, compute_nodes, instances, migrations
from nova_lite.objects import MigrationStatus
from nova_lite.virt.fake import live_migration
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, Cloud, until

AUTO = {"host": None, "block_migration": "auto"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("live"), hosts=3) as running:
        yield running


@pytest.fixture(autouse=True)
def _clean(cloud: Cloud) -> Iterator[None]:
    yield
    for driver in cloud.drivers.values():
        driver.plan.clear()
    cloud.delete_servers()
    cloud.wait_quiet()


def _home(server: dict[str, Any]) -> str:
    return str(server["OS-EXT-SRV-ATTR:host"])


def _migrate(cloud: Cloud, server: str, body: dict[str, Any] | None = None, **kwargs: Any) -> Any:
    return cloud.act(server, "os-migrateLive", body or AUTO, **{"token": ADMIN, **kwargs})


def _slow(cloud: Cloud, seconds: float = 0.2) -> None:
    for driver in cloud.drivers.values():
        driver.plan.delay("live_migrate_round", seconds)


def _running(cloud: Cloud, server: str) -> dict[str, Any]:
    """The server's one live migration, once its memory goes over."""

    def there() -> dict[str, Any] | None:
        found = cloud.get(f"/servers/{server}/migrations", token=ADMIN).json["migrations"]
        return found[0] if found and found[0]["status"] == "running" and found[0]["memory_total_bytes"] else None

    return until(there, 10, lambda: "no migration runs")  # type: ignore[no-any-return]


def test_a_server_goes_to_another_host_and_keeps_running(cloud: Cloud) -> None:
    server = cloud.boot()
    source, before = _home(server), instances.get(server["id"])
    assert _migrate(cloud, server["id"]).status == 202
    shown = cloud.wait(server["id"], "ACTIVE")
    after = instances.get(server["id"])
    assert _home(shown) != source
    assert (after.generation, after.node) == (before.generation + 1, after.host)
    assert server["id"] not in cloud.drivers[source].guests
    assert server["id"] not in cloud.drivers[source].disks
    guest = cloud.drivers[_home(shown)].guests[server["id"]]
    assert (guest.power_state, guest.generation) == (1, after.generation)
    (claim,) = allocations.of_instance(server["id"])
    assert claim.node_uuid == compute_nodes.on_host(_home(shown))[0].uuid
    cloud.wait_quiet()
    actions = cloud.get(f"/servers/{server['id']}/os-instance-actions", token=ADMIN).json["instanceActions"]
    assert actions[0]["action"] == "live-migration"
    detail = cloud.get(f"/servers/{server['id']}/os-instance-actions/{actions[0]['request_id']}", token=ADMIN).json
    events = [(each["event"], each["result"]) for each in detail["instanceAction"]["events"]]
    assert events == [
        ("compute_check_can_live_migrate_destination", "Success"),
        ("compute_live_migration", "Success"),
        ("compute_post_live_migration_at_destination", "Success"),
    ]


def test_a_paused_server_stays_paused_on_a_named_host(cloud: Cloud) -> None:
    server = cloud.boot()
    cloud.act(server["id"], "pause")
    cloud.wait(server["id"], "PAUSED")
    target = next(name for name in cloud.drivers if name != _home(server))
    assert _migrate(cloud, server["id"], {"host": target, "block_migration": True}).status == 202
    assert _home(cloud.wait(server["id"], "PAUSED")) == target
    assert cloud.drivers[target].guests[server["id"]].power_state == 3


def test_the_task_is_seen_and_the_numbers_move(cloud: Cloud) -> None:
    server = cloud.boot()
    _slow(cloud)
    _migrate(cloud, server["id"])
    assert cloud.show(server["id"])["status"] == "MIGRATING"  # type: ignore[index]
    migration = _running(cloud, server["id"])
    shown = cloud.get(f"/servers/{server['id']}/migrations/{migration['id']}", token=ADMIN).json["migration"]
    assert shown["memory_total_bytes"] == shown["memory_processed_bytes"] + shown["memory_remaining_bytes"]
    assert shown["source_compute"] == _home(server)
    assert shown["dest_compute"] != _home(server)
    for version, absent in (("2.23", {"uuid", "user_id"}), ("2.59", {"user_id", "project_id"}), ("2.80", set())):
        listed = cloud.get(f"/servers/{server['id']}/migrations", token=ADMIN, version=version).json["migrations"]
        assert {"uuid", "user_id", "project_id"} - listed[0].keys() >= absent
    cloud.wait(server["id"], "ACTIVE")
    assert cloud.get(f"/servers/{server['id']}/migrations", token=ADMIN).json == {"migrations": []}
    gone = cloud.get(f"/servers/{server['id']}/migrations/{migration['id']}", token=ADMIN)
    assert gone.status == 404
    assert "is not in progress" in gone.json["itemNotFound"]["message"]
    assert migrations.get(migration["uuid"]).status == MigrationStatus.COMPLETED


def test_an_aborted_migration_leaves_the_server_where_it_was(cloud: Cloud) -> None:
    server = cloud.boot()
    _slow(cloud)
    _migrate(cloud, server["id"])
    migration = _running(cloud, server["id"])
    path = f"/servers/{server['id']}/migrations"
    unknown = cloud.delete(f"{path}/999999", token=ADMIN)
    assert unknown.status == 404
    assert cloud.delete(f"{path}/{migration['id']}", token=ADMIN, version="2.24").status == 202
    assert _home(cloud.wait(server["id"], "ACTIVE")) == _home(server)
    assert migrations.get(migration["uuid"]).status == MigrationStatus.CANCELLED
    cloud.wait_quiet()
    late = cloud.delete(f"{path}/{migration['id']}", token=ADMIN)
    assert late.status == 409
    assert late.json["conflictingRequest"]["message"] == (
        f"Instance {server['id']} is in an invalid state for 'abort live migration'"
    )


def test_a_migration_that_is_prepared_is_aborted_from_2_65_only(cloud: Cloud) -> None:
    server = cloud.boot()
    for driver in cloud.drivers.values():
        driver.plan.delay("pre_live_migration", 0.7)
    _migrate(cloud, server["id"])
    found = until(lambda: migrations.live_in_progress(server["id"]), 10, lambda: "no migration")
    path = f"/servers/{server['id']}/migrations/{found[0].id}"
    early = cloud.delete(path, token=ADMIN, version="2.64")
    assert early.status == 400
    assert "Cannot abort live migration while the migration is in this state." in early.json["badRequest"]["message"]
    assert cloud.delete(path, token=ADMIN, version="2.65").status == 202
    assert _home(cloud.wait(server["id"], "ACTIVE")) == _home(server)
    assert migrations.get(found[0].uuid).status == MigrationStatus.CANCELLED
    assert not any(call == ("live_migrate", server["id"]) for call in cloud.drivers[_home(server)].plan.calls)


def test_a_slow_migration_is_forced_to_its_end(cloud: Cloud) -> None:
    server = cloud.boot()
    _slow(cloud, 1.0)
    _migrate(cloud, server["id"])
    migration = _running(cloud, server["id"])
    path = f"/servers/{server['id']}/migrations"
    unknown = cloud.post(f"{path}/999999/action", {"force_complete": None}, token=ADMIN)
    assert unknown.status == 400
    assert cloud.post(f"{path}/{migration['id']}/action", {"force_complete": None}, token=ADMIN).status == 202
    assert _home(cloud.wait(server["id"], "ACTIVE", 5)) != _home(server)
    assert cloud.post(f"{path}/{migration['id']}/action", {"force_complete": None}, token=ADMIN).status == 409


def test_a_destination_that_refuses_is_not_the_last(cloud: Cloud) -> None:
    server = cloud.boot()
    others = sorted(set(cloud.drivers) - {_home(server)})
    for name in others:
        cloud.drivers[name].plan.add(FaultRule("pre_live_migration", FaultKind.RAISE, 1))
    cloud.drivers[others[0]].plan.clear()
    # One of the two refuses; whichever is asked first, the good one has the server in the end.
    assert _migrate(cloud, server["id"]).status == 202
    assert _home(cloud.wait(server["id"], "ACTIVE")) == others[0]
    cloud.wait_quiet()


def test_before_2_34_the_checks_are_waited_for(cloud: Cloud) -> None:
    server = cloud.boot()
    target = next(name for name in cloud.drivers if name != _home(server))
    shared = {"host": target, "block_migration": False, "disk_over_commit": False}
    call = "check_can_live_migrate_destination"
    cloud.drivers[target].plan.add(FaultRule(call, FaultKind.ABORT, 1))
    refused = _migrate(cloud, server["id"], shared, version="2.1")
    assert refused.status == 400
    assert refused.json["badRequest"]["message"].endswith(f"fault plan: {call} aborts")
    assert _home(cloud.wait(server["id"], "ACTIVE")) == _home(server)
    unknown = _migrate(cloud, server["id"], {**shared, "host": "nowhere"}, version="2.1")
    assert unknown.status == 400
    assert unknown.json["badRequest"]["message"] == "Compute host nowhere could not be found."
    own = _migrate(cloud, server["id"], {**shared, "host": _home(server)}, version="2.1")
    assert own.status == 400
    assert "to current host" in own.json["badRequest"]["message"]
    good = {**shared, "block_migration": True}
    assert _migrate(cloud, server["id"], good, version="2.1").status == 202
    assert _home(cloud.wait(server["id"], "ACTIVE")) == target


def test_from_2_34_failed_checks_are_found_in_the_action(cloud: Cloud) -> None:
    server = cloud.boot()
    assert _migrate(cloud, server["id"], {"host": _home(server), "block_migration": "auto"}).status == 202
    assert _home(cloud.wait(server["id"], "ACTIVE")) == _home(server)
    actions = cloud.get(f"/servers/{server['id']}/os-instance-actions", token=ADMIN).json["instanceActions"]
    assert actions[0]["message"].startswith("No valid host was found.")
    cloud.wait_quiet()


def test_the_guest_never_runs_twice(cloud: Cloud) -> None:
    """Watched at every part of the way, on all hosts at one moment."""
    server = cloud.boot()
    seen: list[int] = []

    def watch(call: str, uuid: str | None) -> None:
        with live_migration._switch:
            seen.append(sum(server["id"] in driver.guests for driver in cloud.drivers.values()))

    with pytest.MonkeyPatch.context() as patch:
        for driver in cloud.drivers.values():
            patch.setattr(driver.plan, "strike", watch)
        for _ in range(5):
            home = instances.get(server["id"]).host
            assert _migrate(cloud, server["id"]).status == 202
            cloud.wait(server["id"], "ACTIVE")
            assert instances.get(server["id"]).host != home
    assert set(seen) == {1}
    assert len(seen) > 5 * live_migration.ROUNDS


def test_a_hypervisor_that_cannot_says_so_and_the_server_stays(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = cloud.boot()
    for driver in cloud.drivers.values():
        monkeypatch.setattr(driver, "capabilities", driver.capabilities - {"live_migration"})
    assert _migrate(cloud, server["id"]).status == 202
    assert _home(cloud.wait(server["id"], "ACTIVE")) == _home(server)
    actions = cloud.get(f"/servers/{server['id']}/os-instance-actions", token=ADMIN).json["instanceActions"]
    assert actions[0]["message"].startswith("No valid host was found.")
    assert "cannot 'os-migrateLive'" in actions[0]["message"]
    cloud.wait_quiet()


@pytest.mark.parametrize(
    ("version", "body", "said"),
    [
        ("2.1", {"host": None, "block_migration": True}, "'disk_over_commit' is a required property"),
        ("2.24", {"host": None, "block_migration": "auto", "disk_over_commit": False}, "'auto' is not one of"),
        ("2.25", {"host": None, "block_migration": True, "disk_over_commit": False}, "Additional properties"),
        ("2.29", {**AUTO, "force": True}, "Additional properties"),
        ("2.30", {**AUTO, "force": True}, "Can't force to a non-provided destination"),
        ("2.68", {**AUTO, "force": False}, "Additional properties"),
    ],
)
def test_bodies_by_version(cloud: Cloud, version: str, body: dict[str, Any], said: str) -> None:
    server = cloud.boot()
    answer = _migrate(cloud, server["id"], body, version=version)
    assert answer.status == 400
    assert said in answer.json["badRequest"]["message"]


def test_who_may(cloud: Cloud) -> None:
    server = cloud.boot()
    for path, method in (("", "GET"), ("/1", "GET"), ("/1", "DELETE")):
        assert cloud.request(method, f"/servers/{server['id']}/migrations{path}").status == 403
    assert cloud.act(server["id"], "os-migrateLive", AUTO).status == 403
    assert cloud.act(server["id"], "evacuate", {}).status == 403
    assert cloud.get(f"/servers/{server['id']}/migrations", token=ADMIN, version="2.22").status == 404
