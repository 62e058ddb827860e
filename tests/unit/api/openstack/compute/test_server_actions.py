"""Server actions over HTTP: bodies, answers, and what is passed to the compute door."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite import exception
from tests.harness.compute_api import ComputeApi, FakeCompute


@pytest.mark.parametrize(
    ("body", "version", "call"),
    [
        ({"os-start": None}, "2.1", ("perform", "start", {})),
        ({"os-start": {"anything": 1}}, "2.96", ("perform", "start", {})),
        ({"os-stop": None}, "2.1", ("perform", "stop", {})),
        ({"reboot": {"type": "soft"}}, "2.1", ("perform", "reboot", {"type": "SOFT"})),
        ({"reboot": {"type": "Hard"}}, "2.1", ("perform", "reboot", {"type": "HARD"})),
        ({"pause": None}, "2.1", ("perform", "pause", {})),
        ({"unpause": None}, "2.1", ("perform", "unpause", {})),
        ({"suspend": None}, "2.1", ("perform", "suspend", {})),
        ({"resume": None}, "2.1", ("perform", "resume", {})),
        ({"forceDelete": ""}, "2.1", ("perform", "forceDelete", {})),
        ({"lock": None}, "2.1", ("lock", None)),
        ({"lock": {"locked_reason": "x"}}, "2.72", ("lock", "x")),
        ({"lock": {"locked_reason": "x"}}, "2.73", ("lock", "x")),
        ({"lock": None}, "2.73", ("lock", None)),
        ({"unlock": None}, "2.96", ("unlock",)),
    ],
)
def test_actions_answer_202(
    api: ComputeApi, compute: FakeCompute, body: dict[str, Any], version: str, call: tuple[Any, ...]
) -> None:
    server = compute.add()
    answer = api("POST", f"/servers/{server.uuid}/action", body, version)
    assert (answer.status, answer.data) == (202, b"")
    name, *rest = call
    if name == "lock" and version == "2.72":
        rest = [None]
    assert compute.calls == [(name, server.uuid, *rest)]


@pytest.mark.parametrize(
    ("body", "version"),
    [
        ({"reboot": {}}, "2.1"),
        ({"reboot": {"type": "warm"}}, "2.1"),
        ({"reboot": None}, "2.1"),
        ({"lock": {"locked_reason": ""}}, "2.73"),
        ({"lock": {"locked_reason": "x" * 256}}, "2.73"),
        ({"lock": {"zzz": 1}}, "2.73"),
        ({"os-getConsoleOutput": {"length": "x"}}, "2.1"),
        ({"os-getConsoleOutput": {"length": -2}}, "2.1"),
        ({"os-getConsoleOutput": {"zzz": 1}}, "2.1"),
        ({"os-getConsoleOutput": None}, "2.1"),
        ({"os-resetState": {"state": "paused"}}, "2.1"),
        ({"os-resetState": None}, "2.1"),
    ],
)
def test_bodies_refused(api: ComputeApi, compute: FakeCompute, body: dict[str, Any], version: str) -> None:
    server = compute.add()
    assert api("POST", f"/servers/{server.uuid}/action", body, version, admin=True).status == 400
    assert compute.calls == []


@pytest.mark.parametrize(
    ("sent", "lines"), [({}, None), ({"length": None}, None), ({"length": "50"}, 50), ({"length": -1}, -1)]
)
def test_console_output(api: ComputeApi, compute: FakeCompute, sent: dict[str, Any], lines: int | None) -> None:
    server = compute.add()
    answer = api("POST", f"/servers/{server.uuid}/action", {"os-getConsoleOutput": sent})
    assert (answer.status, answer.json) == (200, {"output": "FAKE CONSOLE OUTPUT\nANOTHER\nLAST LINE"})
    assert compute.calls == [("console_output", server.uuid, lines)]


def test_no_console_of_a_guest_that_is_gone(api: ComputeApi, compute: FakeCompute) -> None:
    server = compute.add()
    compute.refuse_with = exception.GuestNotFound(instance_uuid=server.uuid)
    answer = api("POST", f"/servers/{server.uuid}/action", {"os-getConsoleOutput": {}})
    assert (answer.status, answer.message) == (409, f"Instance {server.uuid} is not ready")


def test_reset_state_is_for_administrators(api: ComputeApi, compute: FakeCompute) -> None:
    server = compute.add()
    body = {"os-resetState": {"state": "error"}}
    assert api("POST", f"/servers/{server.uuid}/action", body).status == 403
    assert api("POST", f"/servers/{server.uuid}/action", body, admin=True).status == 202
    assert compute.calls == [("reset_state", server.uuid, "error")]


def test_an_administrators_lock_is_opened_by_administrators(api: ComputeApi, compute: FakeCompute) -> None:
    server = compute.add(locked=True, locked_by="admin")
    refused = api("POST", f"/servers/{server.uuid}/action", {"unlock": None})
    rule = "os_compute_api:os-lock-server:unlock:unlock_override"
    assert (refused.status, refused.message) == (403, f"Policy doesn't allow {rule} to be performed.")
    assert api("POST", f"/servers/{server.uuid}/action", {"unlock": None}, admin=True).status == 202
    own = compute.add("own", locked=True, locked_by="owner")
    assert api("POST", f"/servers/{own.uuid}/action", {"unlock": None}).status == 202
