"""The options of resizes: time to confirm, and the same host."""

from __future__ import annotations

import pathlib
from typing import Any

from nova_lite.db.api import migrations
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, Cloud, until


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
