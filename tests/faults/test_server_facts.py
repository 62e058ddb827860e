"""Passwords, crash dumps, soft deletes and restores when hosts and conductors die in the middle: done again, clean."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nova_lite import quota
from nova_lite.compute import actions
from nova_lite.compute.action_row import OnRestart
from nova_lite.db.api import operations
from nova_lite.objects import OperationState
from nova_lite.virt.fake import FakeDriver
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import PROJECT, Cloud, until

HOST = "host1"


@pytest.fixture
def cloud(tmp_path: pathlib.Path) -> Iterator[Cloud]:
    with Cloud(tmp_path, options={"DEFAULT": {"reclaim_instance_interval": 3600}}) as running:
        yield running


def _change_password(cloud: Cloud, server: str) -> int:
    return cloud.act(server, "changePassword", {"adminPass": "s3cret"}).status


def _dump(cloud: Cloud, server: str) -> int:
    return cloud.act(server, "trigger_crash_dump").status


def _delete(cloud: Cloud, server: str) -> int:
    return cloud.delete(f"/servers/{server}").status


def _restore(cloud: Cloud, server: str) -> int:
    return cloud.act(server, "restore").status


# what is asked, its action, the driver's call, the server's status before and after, and how many servers count then
CASES = {
    "password": (_change_password, "changePassword", "set_admin_password", "ACTIVE", "ACTIVE", 1),
    "crash dump": (_dump, "trigger_crash_dump", "inject_nmi", "ACTIVE", "ACTIVE", 1),
    "soft delete": (_delete, "softDelete", "power_off", "ACTIVE", "SOFT_DELETED", 0),
    "restore": (_restore, "restore", "power_on", "SOFT_DELETED", "ACTIVE", 1),
}
Case = tuple[Callable[[Cloud, str], int], str, str, str, str, int]


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def _prepared(cloud: Cloud, status: str) -> str:
    server = str(cloud.boot()["id"])
    if status == "SOFT_DELETED":
        _delete(cloud, server)
        cloud.wait(server, status)
    return server


def _reached(driver: FakeDriver, call: str, server: str) -> None:
    until(lambda: (call, server) in driver.plan.calls, 10, lambda: f"{call} never began")


def _ended(cloud: Cloud, server: str, action: str, state: OperationState) -> Any:
    def found() -> Any:
        newest = next(each for each in operations.list_for_instance(server) if each.action == action)
        return newest if newest.state is state else None

    return until(found, 20, lambda: f"{operations.list_for_instance(server)}")


def _used() -> int:
    return quota.usage(PROJECT)["instances"]


def test_a_driver_that_raises_leaves_the_server_as_it_was_or_is_asked_again(cloud: Cloud, case: Case) -> None:
    ask, action, call, before, after, _ = case
    server = _prepared(cloud, before)
    used = _used()
    driver = cloud.drivers[HOST]
    driver.plan.calls.clear()
    driver.plan.add(FaultRule(call, FaultKind.RAISE))
    assert ask(cloud, server) in (202, 204)
    if actions.by_name(action).timeout_s is None:
        _reached(driver, call, server)
        driver.plan.clear()
        _ended(cloud, server, action, OperationState.DONE)
        cloud.wait(server, after)
        return
    failed = _ended(cloud, server, action, OperationState.FAILED)
    assert "NovaLiteError" in failed.message and "s3cret" not in str(failed.args)
    cloud.wait(server, before)
    assert _used() == used
    cloud.wait_quiet()


def test_a_host_that_is_back_does_it_or_says_that_it_may_not(cloud: Cloud, case: Case) -> None:
    ask, action, call, before, after, counted = case
    server = _prepared(cloud, before)
    driver = cloud.drivers[HOST]
    driver.plan.clear()
    driver.plan.calls.clear()
    driver.plan.delay(call, 0.5)
    assert ask(cloud, server) in (202, 204)
    _reached(driver, call, server)
    cloud.kill(HOST)
    cloud.start_host(HOST)
    if actions.by_name(action).on_restart is OnRestart.FAIL:
        assert "must not be done twice" in _ended(cloud, server, action, OperationState.FAILED).message
        return
    done = _ended(cloud, server, action, OperationState.DONE)
    assert "s3cret" not in str(done.args)
    cloud.wait(server, after)
    assert _used() == counted
    if action == "changePassword":
        assert cloud.drivers[HOST].guests[server].admin_password == "s3cret"
    cloud.wait_quiet()


def test_a_conductor_that_dies_meanwhile_is_not_missed(cloud: Cloud, case: Case) -> None:
    ask, action, call, before, after, counted = case
    server = _prepared(cloud, before)
    driver = cloud.drivers[HOST]
    driver.plan.calls.clear()
    driver.plan.delay(call, 0.5)
    assert ask(cloud, server) in (202, 204)
    _reached(driver, call, server)
    cloud.kill("conductor")
    cloud.start_conductor("conductor2")
    _ended(cloud, server, action, OperationState.DONE)
    cloud.wait(server, after)
    assert _used() == counted
    cloud.wait_quiet()
