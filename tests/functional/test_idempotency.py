"""The header Idempotency-Key of POST /servers: said again, a creation answers the same and makes nothing more."""

from __future__ import annotations

import datetime
import json
import pathlib
import signal
import subprocess
import sys
import types
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import clock, concurrency, quota
from nova_lite.db.api import idempotency
from tests.harness.cloud import ADMIN, IMAGE_ID, PROJECT, STRANGER, USER, Answer, Cloud

BODY = {"name": "web", "imageRef": IMAGE_ID, "flavorRef": "42", "networks": "auto"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(autouse=True)
def consistent(cloud: Cloud) -> Iterator[None]:
    yield
    cloud.wait_quiet()


@pytest.fixture
def key() -> str:
    return str(uuid.uuid4())


def _create(cloud: Cloud, key: str, token: str = USER, version: str = "2.104", **server: Any) -> Answer:
    headers = {"Idempotency-Key": key}
    return cloud.post("/servers", {"server": {**BODY, **server}}, headers=headers, token=token, version=version)


def _servers(cloud: Cloud) -> int:
    return len(cloud.get("/servers?all_tenants=1", token=ADMIN).json["servers"])


def test_the_same_again_is_the_same_answer_and_no_second_server(cloud: Cloud, key: str) -> None:
    before, used = _servers(cloud), quota.usage(PROJECT)["instances"]
    first, second = _create(cloud, key), _create(cloud, key)
    assert first.status == 202 and len(first.json["server"]["adminPass"]) == 12
    assert (second.status, second.body, second.headers["Location"]) == (202, first.body, first.headers["Location"])
    cloud.wait(first.json["server"]["id"], "ACTIVE")
    assert _create(cloud, key).body == first.body
    assert (_servers(cloud), quota.usage(PROJECT)["instances"]) == (before + 1, used + 1)


def test_it_is_the_same_answer_when_the_server_changed_or_is_gone(cloud: Cloud, key: str) -> None:
    first = _create(cloud, key, security_groups=[{"name": "default"}])
    server = first.json["server"]["id"]
    cloud.wait(server, "ACTIVE")
    changes = {"server": {"name": "other", "OS-DCF:diskConfig": "AUTO"}}
    assert cloud.request("PUT", f"/servers/{server}", changes).status == 200
    assert _create(cloud, key, security_groups=[{"name": "default"}]).body == first.body
    assert cloud.delete(f"/servers/{server}").status == 204
    cloud.wait_gone(server)
    assert _create(cloud, key, security_groups=[{"name": "default"}]).body == first.body
    assert cloud.show(server) is None


def test_several_servers_and_a_reservation(cloud: Cloud, key: str) -> None:
    before = _servers(cloud)
    more = {"min_count": 2, "max_count": 2, "return_reservation_id": True}
    first = _create(cloud, key, **more)
    assert list(first.json) == ["reservation_id"]
    assert _create(cloud, key, **more).body == first.body
    assert _servers(cloud) == before + 2


def test_the_clients_own_password_is_said_again(cloud: Cloud, key: str) -> None:
    assert _create(cloud, key, adminPass="mine").json["server"]["adminPass"] == "mine"
    assert _create(cloud, key, adminPass="mine").json["server"]["adminPass"] == "mine"


def test_no_password_is_kept(cloud: Cloud, key: str) -> None:
    first, given = _create(cloud, key).json["server"]["adminPass"], str(uuid.uuid4())
    _create(cloud, given, adminPass="f00-bar-secret")
    kept = (cloud.directory / "nova.sqlite").read_bytes() + (cloud.directory / "nova.sqlite-wal").read_bytes()
    for word in (first, "f00-bar-secret", key):
        assert word.encode() not in kept


@pytest.mark.parametrize("change", [{"name": "other"}, {"metadata": {"a": "b"}}, {"adminPass": "x"}])
def test_another_body_is_refused(cloud: Cloud, key: str, change: dict[str, Any]) -> None:
    first = _create(cloud, key)
    before = _servers(cloud)
    other = _create(cloud, key, **change)
    assert (other.status, other.json["conflictingRequest"]["message"]) == (
        409, "The Idempotency-Key was used for another request",
    )  # fmt: skip
    assert _create(cloud, key, version="2.96").status == 409
    assert _servers(cloud) == before
    assert _create(cloud, key).body == first.body


def test_the_order_and_form_of_the_body_do_not_matter(cloud: Cloud, key: str) -> None:
    first = _create(cloud, key)
    text = json.dumps({"server": dict(reversed(BODY.items()))}, indent=4).encode()
    again = cloud.request("POST", "/servers", text, headers={"Idempotency-Key": f" {key} "})
    assert again.body == first.body


def test_projects_have_their_own_keys(cloud: Cloud, key: str) -> None:
    mine, theirs = _create(cloud, key), _create(cloud, key, token=STRANGER, name="theirs")
    assert (mine.status, theirs.status) == (202, 202)
    assert mine.json["server"]["id"] != theirs.json["server"]["id"]
    assert mine.json["server"]["adminPass"] != theirs.json["server"]["adminPass"]


def test_what_was_refused_may_be_tried_again(cloud: Cloud, key: str) -> None:
    assert _create(cloud, key, flavorRef="zzz").status == 400
    limits = {"quota_set": {"instances": 0, "force": True}}
    assert cloud.request("PUT", f"/os-quota-sets/{PROJECT}", limits, token=ADMIN).status == 200
    assert _create(cloud, key).status == 403
    assert cloud.delete(f"/os-quota-sets/{PROJECT}", token=ADMIN).status == 202
    assert _create(cloud, key).status == 202


@pytest.mark.parametrize("bad", ["", "   ", "x" * 256, "a\tb"])
def test_what_is_no_key(cloud: Cloud, bad: str) -> None:
    before = _servers(cloud)
    assert _create(cloud, bad).status == 400
    assert _servers(cloud) == before


def test_a_day_later_the_key_is_forgotten(cloud: Cloud, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _create(cloud, key)
    now = clock.utcnow()

    def wait_until(**since: float) -> None:
        moment = now + datetime.timedelta(**since)
        monkeypatch.setattr(idempotency, "clock", types.SimpleNamespace(now=lambda: moment, settled=lambda: moment))

    wait_until(hours=23, minutes=59)
    assert _create(cloud, key).body == first.body
    assert idempotency.purge() == 0
    wait_until(hours=24, minutes=1)
    second = _create(cloud, key, name="another body, even")
    assert second.status == 202 and second.json["server"]["id"] != first.json["server"]["id"]
    wait_until(hours=49)
    assert idempotency.purge() > 0


def test_many_at_once_make_one(cloud: Cloud, key: str) -> None:
    before = _servers(cloud)
    clients = [concurrency.spawn(_create, cloud, key) for _ in range(8)]
    answers = [client.wait(30) for client in clients]
    assert {answer.status for answer in answers} == {202}
    assert len({answer.body for answer in answers}) == 1
    assert _servers(cloud) == before + 1


def test_one_that_comes_while_the_first_is_being_accepted(
    cloud: Cloud, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first look finds nothing, and the transaction finds the other's key."""
    before = _servers(cloud)
    find, answers = idempotency.find, []

    def late(project_id: str, key_hash: str) -> Any:
        monkeypatch.setattr(idempotency, "find", find)
        answers.append(_create(cloud, key))
        return None

    monkeypatch.setattr(idempotency, "find", late)
    answers.append(_create(cloud, key))
    assert [answer.status for answer in answers] == [202, 202]
    assert answers[0].body == answers[1].body
    assert _servers(cloud) == before + 1


_KILLED_BEFORE_THE_REPLY = """
import os, pathlib, signal, sys
from tests.harness.cloud import Cloud
from tests.functional.test_idempotency import _create
cloud = Cloud(pathlib.Path(sys.argv[1]))
cloud.__enter__()
cloud.kill("conductor")
cloud.compute._conductor.wake = lambda ctxt, ids: os.kill(os.getpid(), signal.SIGKILL)
_create(cloud, sys.argv[2], networks="none")
sys.exit("the reply was sent")
"""


def test_a_process_that_is_killed_between_commit_and_reply(tmp_path: pathlib.Path, key: str) -> None:
    """kill -9 right after the transaction: the client heard nothing, says it again, and gets the server there is."""
    script = [sys.executable, "-c", _KILLED_BEFORE_THE_REPLY, str(tmp_path), key]
    killed = subprocess.run(script, timeout=60, capture_output=True, cwd=pathlib.Path(__file__).parents[2])
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-6000:].decode()
    again = """
import json, pathlib, sys
from tests.harness.cloud import Cloud
from tests.functional.test_idempotency import _create, _servers
with Cloud(pathlib.Path(sys.argv[1])) as cloud:
    there = [each["id"] for each in cloud.get("/servers").json["servers"]]
    answers = [_create(cloud, sys.argv[2], networks="none") for _ in range(2)]
    server = answers[0].json["server"]["id"]
    cloud.wait(server, "ACTIVE")
    cloud.wait_quiet()
    print(json.dumps([there, server, [a.status for a in answers], answers[0].body == answers[1].body, _servers(cloud)]))
"""
    said = subprocess.run(
        [sys.executable, "-c", again, str(tmp_path), key],
        timeout=60, capture_output=True, cwd=pathlib.Path(__file__).parents[2],
    )  # fmt: skip
    assert said.returncode == 0, said.stderr[-6000:].decode()
    there, server, statuses, same, number = json.loads(said.stdout.splitlines()[-1])
    assert (there, statuses, same, number) == ([server], [202, 202], True, 1)
