"""Reverts that go wrong or are given up: the source's copy is the one that is surely whole, never destroyed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.compute.action_row import Backoff
from nova_lite.conductor.tasks import recover
from nova_lite.db.api import migrations, operations
from nova_lite.objects import Instance
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, Cloud, until

SOURCE, DEST = "host1", "host2"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=2, options={"operations": {"service_down_s": 4.0}}) as running:
        yield running


@pytest.fixture
def cloud(shared: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """What the test leaves is deleted."""
    monkeypatch.setattr(Backoff, "rest_s", lambda *_: 0.1)
    yield shared
    for driver in shared.drivers.values():
        driver.plan.clear()
    shared.delete_servers()
    shared.wait_quiet()


@pytest.fixture
def server(cloud: Cloud) -> dict[str, Any]:
    """As it was before it was resized; it waits for a word now."""
    before = cloud.boot(token=ADMIN, availability_zone=f"nova:{SOURCE}")
    assert cloud.act(before["id"], "resize", {"flavorRef": "1"}).status == 202
    cloud.wait(before["id"], "VERIFY_RESIZE")
    return before


def _starts_again(cloud: Cloud, server: dict[str, Any]) -> None:
    assert cloud.act(server["id"], "reboot", {"type": "HARD"}).status == 202
    cloud.wait(server["id"], "ACTIVE")


def test_a_revert_whose_source_never_works_is_an_error_with_a_reason(cloud: Cloud, server: dict[str, Any]) -> None:
    cloud.drivers[SOURCE].plan.add(FaultRule("finish_revert_migration", FaultKind.RAISE, None))
    assert cloud.act(server["id"], "revertResize").status == 202
    cloud.wait(server["id"], "ERROR")
    assert migrations.open_of(server["id"]) is None
    cloud.drivers[SOURCE].plan.clear()
    cloud.wait_quiet()
    _starts_again(cloud, server)  # it was set aside, and is there again
    cloud.delete(f"/servers/{server['id']}")
    cloud.wait_gone(server["id"])
    cloud.stop(SOURCE)
    cloud.start_host(SOURCE)
    cloud.wait_quiet()
    assert not any(server["id"] in driver.list_disks() for driver in cloud.drivers.values())


@pytest.mark.parametrize(("removes", "status"), [(True, "ACTIVE"), (False, "SHUTOFF")])
def test_a_revert_whose_destination_never_works_goes_on_at_the_source(
    cloud: Cloud, server: dict[str, Any], monkeypatch: pytest.MonkeyPatch, removes: bool, status: str
) -> None:
    """The source's guest runs only where it is sure that the other one does not."""
    revert = cloud.drivers[DEST].revert_migration

    def breaks(instance: Instance) -> None:
        if removes:
            revert(instance)
        raise RuntimeError("hypervisor")

    monkeypatch.setattr(cloud.drivers[DEST], "revert_migration", breaks)
    assert cloud.act(server["id"], "revertResize").status == 202
    _is_back(cloud, server, status)
    assert [move.status for move in migrations.list({"instance_uuid": server["id"]})] == ["reverted"]


@pytest.mark.parametrize("how", ["cancelled", "late", "reset"])
@pytest.mark.parametrize(("host", "call"), [(DEST, "revert_migration"), (SOURCE, "finish_revert_migration")])
def test_a_revert_that_is_given_up_destroys_no_last_copy(
    cloud: Cloud, server: dict[str, Any], host: str, call: str, how: str
) -> None:
    cloud.drivers[host].plan.delay(call, 0.4)
    assert cloud.act(server["id"], "revertResize").status == 202
    until(lambda: (call, server["id"]) in cloud.drivers[host].plan.calls, 10, lambda: f"{call} never began")
    (operation,) = operations.open_for_instance(server["id"])
    if how == "cancelled":
        recover.cancelled(operation)
    elif how == "late":
        recover.time_is_up(operation)
    else:
        assert cloud.act(server["id"], "os-resetState", {"state": "active"}, token=ADMIN).status == 202
    cloud.wait_quiet()
    shown = cloud.show(server["id"])
    assert shown["OS-EXT-SRV-ATTR:host"] == SOURCE and server["id"] in cloud.drivers[SOURCE].disks
    if shown["status"] != "ACTIVE":
        _starts_again(cloud, server)
    _is_back(cloud, server, "ACTIVE")


def _is_back(cloud: Cloud, server: dict[str, Any], status: str) -> None:
    """At its source, whole, and nothing is left at the destination."""
    shown = cloud.wait(server["id"], status)
    assert (shown["OS-EXT-SRV-ATTR:host"], shown["flavor"]) == (SOURCE, server["flavor"])
    assert server["id"] in cloud.drivers[SOURCE].disks
    until(lambda: not cloud.drivers[DEST].list_disks(), 10, lambda: "the destination keeps what came")
    cloud.wait_quiet()
