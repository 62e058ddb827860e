"""Daemons of two releases side by side (R30): simulated by tables of versions of before and after an upgrade.

Today's code plays the newer release; a host of the former one is today's, made to speak and to read as the former did.
A daemon of the future is the other way round.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import exception, rpc, upgrades, versions
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.context import admin_context
from nova_lite.db.api import instances, operations, services
from nova_lite.liveness import dead_hosts
from nova_lite.objects import Instance, Operation
from nova_lite.versions import ServiceVersion
from tests.harness.cloud import CONF, Cloud, until

HOST = "nova-lite-compute"


def _release(number: int, works_with: int, compute: str) -> ServiceVersion:
    return ServiceVersion(number, works_with, {"compute": compute, "conductor": "1.0", "scheduler": "1.0"}, "a test's")


# The former release and the present one: hosts of the former know messages up to 1.0.
FORMER, PRESENT, NEXT = _release(5, 4, "1.0"), _release(6, 5, "1.3"), _release(7, 6, "1.3")


@pytest.fixture
def cloud(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """A control plane of the present release; hosts are started by the tests."""
    monkeypatch.setattr(versions, "HISTORY", (FORMER, PRESENT))
    monkeypatch.setattr(versions, "CURRENT", PRESENT)
    with Cloud(tmp_path, hosts=0) as running:
        yield running


def _start_host(cloud: Cloud, name: str, release: ServiceVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host whose daemon is of a release: it registers as such, and understands its messages only."""
    with monkeypatch.context() as patch:
        patch.setattr(versions, "CURRENT", release)
        # the conductor, in the same process, goes on judging as the present release
        patch.setattr(versions, "refusal", lambda other, mine=None: _REFUSAL(other, mine or PRESENT))
        cloud.start_host(name)


_REFUSAL = versions.refusal


def _new_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who speaks to hosts does so in the present release's version."""
    original = ComputeRpcAPI.__init__

    def speak(self: ComputeRpcAPI) -> None:
        original(self)
        self._client.version = PRESENT.rpc["compute"]

    monkeypatch.setattr(ComputeRpcAPI, "__init__", speak)


def test_a_host_of_the_former_release_works_under_the_new_control_plane(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is woken in its own version, reads objects that say more than it knows, and what is done is done."""
    _new_words(monkeypatch)
    monkeypatch.setattr(versions, "HISTORY", (FORMER, PRESENT))
    monkeypatch.setattr(versions, "CURRENT", PRESENT)
    for cls in (Instance, Operation):
        _say_more(cls, monkeypatch)
    options = {"operations": {"sweep_interval_s": 60.0, "heartbeat_interval_s": 60.0, "lease_s": 90.0,
                              "service_down_s": 90.0}}  # fmt: skip
    with Cloud(tmp_path, hosts=0, options=options) as cloud:
        _start_host(cloud, "old", FORMER, monkeypatch)
        rpc.pin_versions(upgrades.Pins(CONF))
        assert services.get_by_host("old", HOST).version == FORMER.number
        # heartbeats and sweeps are a minute apart: only a message that is understood brings the work in time
        server = cloud.boot(networks="none")
        assert cloud.act(server["id"], "pause").status == 202
        cloud.wait(server["id"], "PAUSED")
        assert cloud.act(server["id"], "os-getConsoleOutput", {}).status == 200
        assert cloud.delete(f"/servers/{server['id']}").status == 204
        cloud.wait_gone(server["id"])
        cloud.wait_quiet()


def _say_more(cls: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects on the wire have a field that their reader does not know, and are of a higher minor version."""
    original = cls.to_primitive

    def to_primitive(self: Any) -> dict[str, Any]:
        found: dict[str, Any] = original(self)
        return {**found, "version": "1.99", "data": {**found["data"], "from_the_future": {"nova_lite": "x"}}}

    monkeypatch.setattr(cls, "to_primitive", to_primitive)


def test_without_the_pin_the_message_is_refused_and_the_work_is_not_lost(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator pins too high a version: casts are refused by the host, and the heartbeat brings the work."""
    _new_words(monkeypatch)
    cloud.stop("conductor")
    cloud.start_conductor()
    cloud.compute = type(cloud.compute)(CONF, cloud.images, cloud.networks, cloud.volumes)  # type: ignore[arg-type]
    _start_host(cloud, "old", FORMER, monkeypatch)
    server = cloud.boot(networks="none")
    with pytest.raises(exception.UnreadableMessage, match="console_output is not understood by compute.*version 1.3"):
        ComputeRpcAPI().console_output(admin_context(), "old", instances.get(server["id"]), 100)
    assert cloud.delete(f"/servers/{server['id']}").status == 204
    cloud.wait_gone(server["id"])


@pytest.mark.parametrize(
    ("release", "words"),
    [
        (
            _release(4, 3, "1.0"),
            "service version 4, this one is of 6 and works with 5 or newer: upgrade that host first",
        ),
        (
            _release(9, 8, "1.9"),
            "service version 9 and works with 8 or newer, this one is of 6: upgrade this host first",
        ),
    ],
)
def test_a_host_that_is_too_old_or_too_new_is_refused_at_its_start(
    cloud: Cloud, release: ServiceVersion, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(exception.IncompatibleVersion, match=words):
        _start_host(cloud, "far", release, monkeypatch)
    assert services.list(HOST) == [], "it is not there, and gets no work"


def test_a_host_that_stayed_behind_loses_its_word_with_the_upgrade_and_its_work_waits(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control plane goes two releases on while a host serves: its heartbeats count no more, nothing is lost."""
    _start_host(cloud, "old", FORMER, monkeypatch)
    server = cloud.boot(networks="none")
    monkeypatch.setattr(versions, "CURRENT", NEXT)  # it works with 6 and newer; the host is of 5

    until(lambda: "old" in dead_hosts(2.0), 15, lambda: "the host still counts as up")
    with pytest.raises(exception.IncompatibleVersion, match="on host old .*upgrade that host first"):
        upgrades.admit(services.get_by_host("old", HOST))
    assert cloud.act(server["id"], "pause").status in (202, 409)
    cloud.stop("old")
    cloud.start_host("old")  # upgraded
    cloud.wait(server["id"], "PAUSED")
    assert {operation.state for operation in operations.list_for_instance(server["id"])} == {"done"}
    cloud.wait_quiet()


def test_what_no_host_can_read_ends_with_a_reason(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of a later major version, which the rules forbid and bugs do not: nobody waits for ever."""
    options = {"operations": {"lease_s": 0.6, "heartbeat_interval_s": 0.1, "sweep_interval_s": 0.1}}
    with Cloud(tmp_path, options=options) as cloud:
        server = cloud.boot(networks="none")
        original = Operation.to_primitive
        with monkeypatch.context() as patch:
            patch.setattr(Operation, "to_primitive", lambda self: {**original(self), "version": "9.0"})
            assert cloud.act(server["id"], "pause").status == 202

            def newest() -> Operation:
                return operations.list_for_instance(server["id"])[0]

            until(lambda: newest().finish_time, 30, lambda: str(newest()))
        assert (newest().action, newest().state) == ("pause", "failed") and newest().message
        cloud.wait_quiet()
