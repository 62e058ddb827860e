"""Poison (R26): rows and messages that nobody can read, guests that nobody can look at. They end, and stop nobody."""

from __future__ import annotations

import datetime
import json
import logging
from collections.abc import Iterator
from typing import Any

import kombu
import pytest
from sqlalchemy import text

from nova_lite import concurrency, rpc
from nova_lite.cmd import startup
from nova_lite.cmd.manage import program
from nova_lite.compute import actions
from nova_lite.context import admin_context
from nova_lite.db import clock, session
from nova_lite.db.api import instances, operations
from nova_lite.virt.fake import FakeDriver
from tests.harness.cloud import ADMIN, CONF, PROJECT, Cloud, until


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(autouse=True)
def quiet(cloud: Cloud) -> Iterator[None]:
    """After each test everybody still works, and the oracle finds nothing wrong."""
    yield
    cloud.drivers["host1"].plan.clear()
    server = cloud.boot()["id"]
    cloud.delete(f"/servers/{server}")
    cloud.wait_gone(server)
    cloud.wait_quiet()


def _sql(statement: str, **values: Any) -> None:
    with session.writer() as transaction:
        transaction.execute(text(statement), values)


def _operation(server: str, action: str = "stop", timeout_s: float | None = 300, **args: Any) -> int:
    """An operation for host1, written as its acceptance writes it; nobody is woken."""
    row = actions.BY_NAME.get(action)
    if row is not None and row.sets_task is not None:
        instances.update_if(server, {"task_state": row.sets_task})
    with session.writer():
        return operations.insert_pending(
            request_id="req-poison", instance_uuid=server, action=action, project_id=PROJECT, user_id="demo",
            topic="compute", host="host1", args=args, timeout_s=timeout_s,
        )  # fmt: skip


def _message(number: int) -> str:
    """Why the operation failed, once it has."""

    def failed() -> str | None:
        with session.reader() as transaction:
            query = text("SELECT state, message FROM operations WHERE id = :id")
            row = transaction.execute(query, {"id": number}).one()
        return str(row.message) if row.state == "failed" else None

    return str(until(failed, 20, lambda: f"operation {number} never failed"))


def _late(number: int) -> None:
    before = clock.now() - datetime.timedelta(hours=1)
    _sql("UPDATE operations SET deadline = :at, start_time = :at WHERE id = :id", at=before, id=number)


# -- rows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value"),
    [("args", "{not json"), ("args", "[1]"), ("steps", '"x"'), ("steps", "\x00"), ("state", "lost")],
)
def test_an_operation_that_cannot_be_read_ends_and_frees_its_server(cloud: Cloud, column: str, value: str) -> None:
    server = cloud.boot()["id"]
    cloud.drivers["host1"].plan.delay("power_off", 0.3)
    with session.writer() as transaction:
        number = _operation(server)
        transaction.execute(
            text(f"UPDATE operations SET {column} = :value WHERE id = :id"), {"value": value, "id": number}
        )
    assert _message(number).startswith(f"Given up: Operation {number} is not understood: ")
    shown = cloud.wait(server, "ACTIVE")
    assert shown["OS-EXT-STS:task_state"] is None
    actions_of = cloud.get(f"/servers/{server}/os-instance-actions", token=ADMIN).json["instanceActions"]
    assert "stop" in {each["action"] for each in actions_of}
    assert cloud.act(server, "os-stop").status == 202
    cloud.wait(server, "SHUTOFF")


def test_an_unknown_action_is_left_to_newer_daemons_until_its_deadline(cloud: Cloud) -> None:
    server = cloud.boot()["id"]
    number = _operation(server, "teleport")
    cloud.act(server, "os-stop")
    cloud.wait(server, "SHUTOFF")
    assert operations.get(number).finish_time is None
    _late(number)
    assert "'teleport'" in _message(number)


def test_an_operation_of_a_server_that_is_gone_ends(cloud: Cloud) -> None:
    numbers = [_operation("11111111-2222-3333-4444-555555555555", action) for action in ("stop", "attach_volume")]
    assert {_message(number) for number in numbers} == {"The server is gone."}


def test_a_server_that_cannot_be_read_hides_no_other_and_keeps_no_host_from_starting(cloud: Cloud) -> None:
    server, other = cloud.boot()["id"], cloud.boot()["id"]
    flavor = _broken(server)
    try:
        listed = {each["id"] for each in cloud.get("/servers/detail", token=ADMIN).json["servers"]}
        assert other in listed and server not in listed
        number = _operation(server)
        cloud.stop("host1")
        cloud.start_host("host1")
        assert cloud.act(other, "os-stop").status == 202
        cloud.wait(other, "SHUTOFF")
        assert server in cloud.drivers["host1"].guests
        _late(number)
        assert "server" in _message(number)
    finally:
        _sql("UPDATE instances SET flavor = :flavor WHERE uuid = :uuid", flavor=flavor, uuid=server)
    assert cloud.wait(server, "ACTIVE")["OS-EXT-STS:task_state"] is None
    cloud.delete(f"/servers/{server}")
    cloud.wait_gone(server)


def _broken(server: str) -> str:
    with session.reader() as transaction:
        row = transaction.execute(text("SELECT flavor FROM instances WHERE uuid = :uuid"), {"uuid": server}).one()
    alien = json.dumps({**json.loads(row.flavor), "version": "99.0"})
    _sql("UPDATE instances SET flavor = :flavor WHERE uuid = :uuid", flavor=alien, uuid=server)
    return str(row.flavor)


# -- hosts ----------------------------------------------------------------------------------------


def test_a_guest_whose_state_is_broken_on_disk_keeps_no_host_from_starting(cloud: Cloud) -> None:
    server, other = cloud.boot()["id"], cloud.boot()["id"]
    cloud.stop("host1")
    (path,) = cloud.directory.glob(f"host1/{server}*.guest")
    path.write_text('{"uuid": "' + server)
    cloud.start_host("host1")
    cloud.wait(server, "SHUTOFF")
    cloud.wait(other, "ACTIVE")
    cloud.delete(f"/servers/{server}")
    cloud.wait_gone(server)


def test_a_guest_that_nobody_can_look_at_keeps_no_host_from_starting(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    server, other = cloud.boot()["id"], cloud.boot()["id"]
    instances.update_if(server, {"power_state": 4})
    instances.update_if(other, {"power_state": 4})
    find = FakeDriver.find_guest

    def poisoned(driver: FakeDriver, uuid: str) -> Any:
        if uuid == server:
            raise RuntimeError("its domain cannot be read")
        return find(driver, uuid)

    with monkeypatch.context() as patch:
        patch.setattr(FakeDriver, "find_guest", poisoned)
        cloud.stop("host1")
        cloud.start_host("host1")
        until(lambda: instances.get(other).power_state == 1, 10, lambda: "the others are not told")
        assert any(server in record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR)


# -- messages -------------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", ["conductor", "compute.host1", "scheduler"])
def test_a_message_that_nobody_understands_is_dropped(cloud: Cloud, topic: str) -> None:
    name, _, host = topic.partition(".")
    client = rpc.get_client(name, rpc.VERSION)
    client.cast(admin_context(), "no_such_verb", **({"host": host} if host else {}), what=1)
    rpc.get_client(name, "99.0").cast(admin_context(), "ping", **({"host": host} if host else {}))
    with kombu.Connection("memory://") as connection:
        for body in (b"{not json", b"[]", b'{"oslo.version": "2.0", "oslo.message": "no"}', b"\xff\x00"):
            kombu.Producer(connection).publish(
                body, routing_key=topic, exchange="", content_type="application/json", content_encoding="utf-8"
            )
    assert rpc.get_client(name, rpc.VERSION).call(
        admin_context(), "ping", timeout_s=5.0, **({"host": host} if host else {})
    ) == "pong"  # fmt: skip


# -- the operator's tool --------------------------------------------------------------------------


def _manage(cloud: Cloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    """What ``nova-lite-manage operation`` answers, on this cloud's database."""
    monkeypatch.setattr(startup, "open_database", lambda conf: None)
    monkeypatch.setattr(program, "_expect_schema", lambda conf, what: None)  # the configuration names no database
    monkeypatch.setattr(program, "_configure", lambda args: CONF)
    monkeypatch.setattr(concurrency, "patch", lambda backend: None)  # this process chose long ago
    capsys.readouterr()
    code = program.main(["--json", "operation", *words])
    out, err = capsys.readouterr()
    return json.loads(out or err) | {"code": code} if not (out or err).startswith("[") else json.loads(out)


def test_operators_find_what_failed_and_end_or_hurry_what_is_open(
    cloud: Cloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = cloud.boot()["id"]
    number = _operation(server, "teleport", timeout_s=None)
    listed = _manage(cloud, capsys, monkeypatch, "list", "--server", server)
    assert [(each["id"], each["action"], each["state"]) for each in listed] == [(number, "teleport", "pending")]
    assert _manage(cloud, capsys, monkeypatch, "list", "--server", server, "--older-than", "3600") == []
    _late(number)
    _message(number)
    (failed,) = _manage(cloud, capsys, monkeypatch, "list", "--failed", "--server", server)
    assert "teleport" in failed["message"]
    shown = _manage(cloud, capsys, monkeypatch, "show", str(number))
    assert (shown["state"], shown["arguments"]) == ("failed", [])
    again = _manage(cloud, capsys, monkeypatch, "retry", str(number))
    assert again["code"] == 1 and "must be made anew" in again["error"]
    built = _manage(cloud, capsys, monkeypatch, "retry", str(number - 1))
    assert built["code"] == 1 and "nothing left to do" in built["error"] and "anew" not in built["error"]

    cloud.stop("host1")
    assert cloud.act(server, "os-stop").status == 202
    (waiting,) = _manage(cloud, capsys, monkeypatch, "list", "--server", server)
    assert _manage(cloud, capsys, monkeypatch, "cancel", str(waiting["id"]))["code"] == 0
    assert cloud.wait(server, "ACTIVE")["OS-EXT-STS:task_state"] is None
    assert cloud.delete(f"/servers/{server}").status == 204
    (deleting,) = _manage(cloud, capsys, monkeypatch, "list", "--server", server)
    refused = _manage(cloud, capsys, monkeypatch, "cancel", str(deleting["id"]))
    assert refused["code"] == 1 and "is tried until it is done" in refused["error"]
    cloud.start_host("host1")
    cloud.wait_gone(server)


def test_a_hurried_operation_rests_no_longer(
    cloud: Cloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = cloud.boot()["id"]
    cloud.stop("host1")
    number = _operation(server)
    later = clock.now() + datetime.timedelta(hours=1)
    _sql("UPDATE operations SET lease_until = :at, rests = 9 WHERE id = :id", at=later, id=number)
    cloud.start_host("host1")
    assert _manage(cloud, capsys, monkeypatch, "retry", str(number))["code"] == 0
    cloud.wait(server, "SHUTOFF")
