"""Evacuations of what was half done, and evacuations that end half done, through the whole cloud."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.compute.custody import Verdict
from nova_lite.conductor import guests
from nova_lite.db.api import instances, operations
from nova_lite.objects import Presence
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, CTXT, Cloud, until
from tests.harness.failpoints import preparations as of

COPY = "the only copy"


@contextlib.contextmanager
def _cloud(directory: pathlib.Path, size: int = 2, **options: Any) -> Iterator[tuple[Cloud, str]]:
    """With a server on host1."""
    with Cloud(directory, hosts=size, options={"operations": options} if options else None) as made:
        made.volumes.make(CTXT)
        yield made, made.boot(availability_zone="nova:host1", token=ADMIN)["id"]


def _fails(cloud: Cloud, host: str, call: str, times: int | None = None) -> None:
    cloud.drivers[host].plan.add(FaultRule(call, FaultKind.RAISE, times=times))


def _called(cloud: Cloud, host: str, call: str, server: str) -> None:
    until(lambda: (call, server) in cloud.drivers[host].plan.calls, 10, lambda: f"{host} does not {call}")


def _evacuate(cloud: Cloud, server: str, **body: Any) -> int:
    return int(cloud.act(server, "evacuate", body, token=ADMIN).status)


def _ended(server: str, action: str = "evacuate") -> None:
    def over() -> bool:
        found = [each for each in operations.list_for_instance(server) if each.action == action]
        return bool(found) and all(each.finish_time is not None for each in found)

    until(over, 15, lambda: str([(each.action, each.state) for each in operations.list_for_instance(server)]))


def _is_quiet(server: str) -> None:
    until(
        lambda: not operations.open_for_instance(server), 20,
        lambda: str([(each.action, each.host, each.message) for each in operations.open_for_instance(server)]),
    )  # fmt: skip


def _sent_and_dead(cloud: Cloud, server: str) -> None:
    """The guest has gone over to host2, and host1 died before it could say so."""
    gone: list[bool] = []
    source = cloud.drivers["host1"]
    leave = source.post_live_migration

    def dies(instance: Any) -> None:
        leave(instance)
        gone.append(True)
        until(lambda: "host1" not in cloud.services, 10, lambda: "host1 lives")

    source.post_live_migration = dies  # type: ignore[method-assign]
    assert cloud.act(server, "os-migrateLive", {"host": "host2", "block_migration": "auto"}, token=ADMIN).status == 202
    until(lambda: bool(gone), 10, lambda: "the guest did not go")
    cloud.drivers["host2"].roots[server] = COPY
    cloud.silence("host1")


def _lives_on_host2(cloud: Cloud, server: str) -> None:
    until(lambda: instances.get(server).host == "host2", 30, lambda: str(instances.get(server).host))
    assert cloud.drivers["host2"].roots[server] == COPY and server in cloud.drivers["host2"].guests


def test_a_guest_that_has_gone_over_is_not_built_over(tmp_path: pathlib.Path) -> None:
    with _cloud(tmp_path, sweep_interval_s=600.0) as (cloud, server):
        _sent_and_dead(cloud, server)
        _fails(cloud, "host2", "spawn")
        assert _evacuate(cloud, server) == 409
        cloud.services["conductor"].manager._sweeper.sweep()  # type: ignore[attr-defined]
        _lives_on_host2(cloud, server)
        cloud.wait(server, "ACTIVE")


def test_a_guest_that_is_sought_after_a_reset_is_found_not_built_over(tmp_path: pathlib.Path) -> None:
    with _cloud(tmp_path, sweep_interval_s=600.0) as (cloud, server):
        _sent_and_dead(cloud, server)
        assert cloud.act(server, "os-resetState", {"state": "active"}, token=ADMIN).status == 202
        _fails(cloud, "host2", "spawn")
        assert _evacuate(cloud, server) == 409
        _lives_on_host2(cloud, server)


def test_a_server_whose_guest_has_not_gone_over_is_evacuated_once_the_destination_says_so(
    tmp_path: pathlib.Path,
) -> None:
    with _cloud(tmp_path, size=3, sweep_interval_s=0.2) as (cloud, server):
        source, dest = cloud.drivers["host1"], cloud.drivers["host2"]
        source.plan.delay("live_migrate_round", 0.5)
        to_host2 = {"host": "host2", "block_migration": "auto"}
        assert cloud.act(server, "os-migrateLive", to_host2, token=ADMIN).status == 202
        of.began(cloud, "live_migrate_round", server)
        cloud.silence("host1")
        assert cloud.act(server, "os-resetState", {"state": "active"}, token=ADMIN).status == 202
        assert _evacuate(cloud, server, host="host3") == 409
        until(lambda: _evacuate(cloud, server, host="host3") == 200, 10, lambda: "it is in doubt for ever")
        _ended(server)
        assert instances.get(server).host == "host3" and server in cloud.drivers["host3"].guests
        assert server not in dest.guests and server not in dest.incoming
        cloud.revive("host1")
        until(lambda: cloud.violations() == [], 10, lambda: str(cloud.violations()))


def test_disks_that_are_set_aside_on_a_host_that_lives_are_taken_up_there(tmp_path: pathlib.Path) -> None:
    with _cloud(tmp_path, size=3) as (cloud, server):
        cloud.drivers["host1"].roots[server] = COPY
        cloud.drivers["host2"].plan.delay("finish_migration", 3)
        assert cloud.act(server, "migrate", {"host": "host2"}, token=ADMIN).status == 202
        of.began(cloud, "finish_migration", server)
        cloud.silence("host2")
        _fails(cloud, "host3", "spawn")
        assert _evacuate(cloud, server, host="host3") == 400
        _ended(server, "migrate")
        assert instances.get(server).host == "host1"
        assert COPY in (cloud.drivers["host1"].roots.get(server), cloud.drivers["host1"].kept.get(server))


@pytest.mark.parametrize("target", ["host3", "host1"])
def test_what_a_move_set_aside_outlives_a_failed_evacuation(tmp_path: pathlib.Path, target: str) -> None:
    with _cloud(tmp_path, size=3) as (cloud, server):
        cloud.drivers["host1"].roots[server] = COPY
        assert cloud.act(server, "migrate", {"host": "host2"}, token=ADMIN).status == 202
        cloud.wait(server, "VERIFY_RESIZE")
        cloud.silence("host2")
        assert cloud.act(server, "os-resetState", {"state": "error"}, token=ADMIN).status == 202
        _fails(cloud, "host3", "spawn")
        assert _evacuate(cloud, server, host=target) == 200
        _ended(server)
        ruling = guests.judge("host1", [Presence(server, has_disks=True)])["rulings"][server]
        assert ruling["verdict"] == Verdict.NOTE
        assert cloud.drivers["host1"].kept[server] == COPY


def test_what_a_failed_evacuation_could_not_remove_goes(tmp_path: pathlib.Path) -> None:
    with _cloud(tmp_path) as (cloud, server):
        cloud.silence("host1")
        _fails(cloud, "host2", "power_off", times=1)
        _fails(cloud, "host2", "destroy", times=1)
        assert _evacuate(cloud, server) == 200
        _ended(server)
        cloud.revive("host1")
        _is_quiet(server)
        until(lambda: server not in cloud.drivers["host2"].guests, 10, lambda: "host2 has a guest still")
        assert server in cloud.drivers["host1"].guests and cloud.violations() == []


def _with_a_volume(cloud: Cloud, server: str) -> None:
    assert of.attach_volume(cloud, server).status == 202
    _is_quiet(server)


def _is_bound_to_host1(cloud: Cloud, server: str) -> None:
    (device,) = (each for each in instances.get(server).block_devices if each.volume_id)
    (volume,) = (each for each in cloud.volumes.rows("/volumes/detail", "volumes") if each["id"] == device.volume_id)
    assert [each["host_name"] for each in volume["attachments"]] == ["host1"] == [device.host]
    assert {port["binding:host_id"] for port in cloud.networks.ports_of(server)} == {"host1"}


def test_after_a_failed_evacuation_the_old_host_has_its_volumes_again(tmp_path: pathlib.Path) -> None:
    with _cloud(tmp_path) as (cloud, server):
        _with_a_volume(cloud, server)
        cloud.silence("host1")
        _fails(cloud, "host2", "spawn")
        assert _evacuate(cloud, server) == 200
        _ended(server)
        (volume,) = cloud.volumes.rows("/volumes/detail", "volumes")
        assert volume["status"] in ("reserved", "attaching", "in-use"), "nobody else may take it"
        cloud.revive("host1")
        _is_quiet(server)
        _is_bound_to_host1(cloud, server)
        assert cloud.violations() == []


@pytest.mark.parametrize("dies", [False, True])
def test_after_an_evacuation_that_is_reset_the_old_host_has_it_all_again(tmp_path: pathlib.Path, dies: bool) -> None:
    with _cloud(tmp_path) as (cloud, server):
        _with_a_volume(cloud, server)
        cloud.silence("host1")
        cloud.drivers["host2"].plan.delay("spawn", 0.5)
        assert _evacuate(cloud, server) == 200
        _called(cloud, "host2", "spawn", server)
        assert cloud.act(server, "os-resetState", {"state": "active"}, token=ADMIN).status == 202
        if dies:
            cloud.silence("host2")
        cloud.revive("host1")
        _is_quiet(server)
        _is_bound_to_host1(cloud, server)
        if dies:
            cloud.revive("host2")
        until(lambda: server not in cloud.drivers["host2"].guests, 10, lambda: "host2 has a guest still")
        until(lambda: cloud.violations() == [], 10, lambda: str(cloud.violations()))


def test_a_server_is_not_unshelved_onto_a_disk_of_before_its_evacuation(tmp_path: pathlib.Path) -> None:
    with _cloud(tmp_path) as (cloud, server):
        cloud.silence("host1")
        assert _evacuate(cloud, server) == 200
        cloud.wait(server, "SHUTOFF")
        watch, cloud.watch = cloud.watch, _refusing
        cloud.revive("host1")
        cloud.watch = watch
        _called(cloud, "host1", "destroy", server)
        assert server in cloud.drivers["host1"].disks
        cloud.drivers["host1"].roots[server] = "of before"
        cloud.act(server, "shelve")
        cloud.wait(server, "SHELVED_OFFLOADED")
        cloud.drivers["host1"].plan.clear()
        cloud.set_host("host2", status="disabled")
        assert cloud.act(server, "unshelve").status == 202
        cloud.wait(server, "ACTIVE")
        assert cloud.drivers["host1"].roots[server] != "of before"


def _refusing(driver: Any) -> Any:
    driver.plan.add(FaultRule("destroy", FaultKind.RAISE))
    return driver
