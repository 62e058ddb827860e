"""The options of resizes: time to confirm, and the same host."""

from __future__ import annotations

import pathlib
from typing import Any

from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.context import admin_context
from nova_lite.db.api import instances, migrations
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, Cloud, until
from tests.harness.failpoints.preparations import began


def _resize(cloud: Cloud, server: dict[str, Any]) -> None:
    answer = cloud.act(server["id"], "resize", {"flavorRef": "1"})
    assert answer.status == 202, answer.body
    cloud.wait(server["id"], "VERIFY_RESIZE")


def test_what_nobody_confirms_is_confirmed_in_time(tmp_path: pathlib.Path) -> None:
    with Cloud(tmp_path, hosts=2, options={"DEFAULT": {"resize_confirm_window": 1}}) as cloud:
        server = cloud.boot()
        _resize(cloud, server)
        cloud.wait(server["id"], "ACTIVE", 10)
        cloud.wait_quiet()
        assert [move.status for move in migrations.list({})] == ["confirmed"]


def test_one_host_can_resize_where_it_is_allowed(tmp_path: pathlib.Path) -> None:
    with Cloud(tmp_path, hosts=1, options={"DEFAULT": {"allow_resize_to_same_host": True}}) as cloud:
        server = cloud.boot()
        for verb, flavor in (("revertResize", "m1.nano"), ("confirmResize", "m1.tiny")):
            _resize(cloud, server)
            assert cloud.violations() == []
            assert cloud.act(server["id"], verb).status in (202, 204)
            assert cloud.wait(server["id"], "ACTIVE")["flavor"]["original_name"] == flavor
            cloud.wait_quiet()
            assert cloud.drivers["host1"].kept == {}
        cloud.drivers["host1"].plan.add(FaultRule("finish_migration", FaultKind.RAISE, 1))
        assert cloud.act(server["id"], "resize", {"flavorRef": "2"}).status == 202
        until(lambda: migrations.open_of(server["id"]) is None, 20, lambda: "the move never ended")
        assert cloud.wait(server["id"], "ACTIVE")["flavor"]["original_name"] == "m1.tiny"
        cloud.wait_quiet()
        assert cloud.act(server["id"], "migrate", token=ADMIN).status == 202
        until(lambda: migrations.open_of(server["id"]) is None, 20, lambda: "the move never ended")
        cloud.wait(server["id"], "ACTIVE")
        cloud.wait_quiet()


def _reset(cloud: Cloud, server: dict[str, Any]) -> None:
    """An administrator declares it active, and what follows from that is done."""
    assert cloud.act(server["id"], "os-resetState", {"state": "active"}, token=ADMIN).status == 202
    cloud.wait_quiet()
    assert cloud.violations() == []


def test_a_resize_on_one_host_that_is_reset_half_way_is_undone(tmp_path: pathlib.Path) -> None:
    """Its worker ends what it is at, and builds the guest: what is set aside is the server's all the same."""
    with Cloud(tmp_path, hosts=1, options={"DEFAULT": {"allow_resize_to_same_host": True}}) as cloud:
        server, driver = cloud.boot(), cloud.drivers["host1"]
        driver._lay(instances.get(server["id"]), "whole")
        driver.plan.delay("finish_migration", 0.6)
        assert cloud.act(server["id"], "resize", {"flavorRef": "1"}).status == 202
        began(cloud, "finish_migration", server["id"])
        driver.roots[server["id"]] = "half of a copy"
        _reset(cloud, server)
        assert cloud.show(server["id"])["status"] == "SHUTOFF"
        assert cloud.show(server["id"])["flavor"]["original_name"] == "m1.nano"
        assert (driver.roots, driver.kept) == ({server["id"]: "whole"}, {})


def test_what_was_written_after_a_reset_is_kept_by_the_next_resize(tmp_path: pathlib.Path) -> None:
    with Cloud(tmp_path, hosts=1, options={"DEFAULT": {"allow_resize_to_same_host": True}}) as cloud:
        server, driver = cloud.boot(), cloud.drivers["host1"]
        _resize(cloud, server)
        _reset(cloud, server)
        assert driver.kept == {}
        driver._lay(instances.get(server["id"]), "written since")
        driver.plan.add(FaultRule("migrate_disk_and_power_off", FaultKind.RAISE, 1))
        assert cloud.act(server["id"], "resize", {"flavorRef": "2"}).status == 202
        cloud.wait_quiet()
        assert cloud.wait(server["id"], "ACTIVE")["flavor"]["original_name"] == "m1.tiny"
        assert driver.roots == {server["id"]: "written since"}


def test_what_a_move_left_where_its_server_is_again_is_found_and_goes(tmp_path: pathlib.Path) -> None:
    """The server went on, came back, and moves again: with what it has, not with what the first move set aside."""
    with Cloud(tmp_path, hosts=2) as cloud:
        server = cloud.boot()
        home, other = server["OS-EXT-SRV-ATTR:host"], {"host1": "host2", "host2": "host1"}
        driver = cloud.drivers[home]
        driver._store(instances.get(server["id"]), "kept", "stale")
        driver.kept[server["id"]] = "stale"
        until(lambda: cloud.violations(), 10, lambda: "nothing was found")
        assert ["set aside" in each for each in cloud.violations()] == [True]
        ComputeRpcAPI().look_around(admin_context(), home)
        until(lambda: not driver.kept, 10, lambda: "it is still there")
        cloud.wait_quiet()
        driver.kept[server["id"]] = "stale"
        driver._lay(instances.get(server["id"]), "written since")
        assert cloud.act(server["id"], "migrate", token=ADMIN).status == 202
        cloud.wait(server["id"], "VERIFY_RESIZE")
        assert cloud.drivers[other[home]].roots == {server["id"]: "written since"}
