"""Remote consoles: a URL with a token, which a proxy may look up until it expires or its guest is gone."""

from __future__ import annotations

import logging
import pathlib
import types
from collections.abc import Iterator

import pytest

from nova_lite.db.api import console_tokens
from tests.harness.cloud import ADMIN, STRANGER, USER, Cloud

VNC = {"remote_console": {"protocol": "vnc", "type": "novnc"}}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("consoles")) as running:
        yield running


def _token(cloud: Cloud, server_id: str) -> str:
    answer = cloud.post(f"/servers/{server_id}/remote-consoles", VNC)
    assert answer.status == 200, answer.body
    url = str(answer.json["remote_console"]["url"])
    assert url.startswith("http://127.0.0.1:6080/vnc_auto.html?path=%3Ftoken%3D")
    return url.rpartition("%3D")[2]


def test_a_token_opens_the_guest_it_was_made_for(cloud: Cloud) -> None:
    server = cloud.boot()
    token = _token(cloud, server["id"])
    shown = cloud.get(f"/os-console-auth-tokens/{token}", token=ADMIN).json["console"]
    assert shown == {
        "instance_uuid": server["id"], "host": "vnc.invalid", "port": 5900, "internal_access_path": server["id"],
    } | ({"tls_port": None} if "tls_port" in shown else {})  # fmt: skip
    assert cloud.get(f"/os-console-auth-tokens/{token}", token=USER).status == 403
    old = cloud.get(f"/os-console-auth-tokens/{token}", token=ADMIN, version="2.30")
    assert (old.status, old.json["unauthorized"]["message"]) == (
        401, "The requested console type details are not accessible",
    )  # fmt: skip


def test_nothing_opens_what_is_gone(cloud: Cloud) -> None:
    server = cloud.boot()
    token = _token(cloud, server["id"])
    cloud.delete(f"/servers/{server['id']}")
    cloud.wait_gone(server["id"])
    assert cloud.get(f"/os-console-auth-tokens/{token}", token=ADMIN).status == 404
    unknown = cloud.get("/os-console-auth-tokens/none", token=ADMIN)
    assert (unknown.status, unknown.json["itemNotFound"]["message"]) == (404, "Token not found")


def test_an_expired_token_opens_nothing(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.harness.cloud import CONF

    CONF.set_override("token_ttl", 1, "consoleauth")
    try:
        token = _token(cloud, cloud.boot()["id"])
    finally:
        CONF.clear_override("token_ttl", "consoleauth")
    late = console_tokens.clock.now().replace(year=2100)
    monkeypatch.setattr(console_tokens, "clock", types.SimpleNamespace(now=lambda: late))
    assert cloud.get(f"/os-console-auth-tokens/{token}", token=ADMIN).status == 404
    assert console_tokens.purge(late) >= 1


@pytest.mark.parametrize(
    ("wanted", "status", "words"),
    [
        ({"protocol": "vnc", "type": "serial"}, 400, "Invalid console type serial"),
        ({"protocol": "rdp", "type": "rdp-html5"}, 400, "'rdp' is not one of"),
        ({"protocol": "vnc"}, 400, "'type' is a required property"),
        ({"protocol": "mks", "type": "webmks"}, 200, ""),
        ({"protocol": "spice", "type": "spice-html5"}, 200, ""),
    ],
)
def test_types_and_protocols(cloud: Cloud, wanted: dict[str, str], status: int, words: str) -> None:
    server = cloud.boot()
    answer = cloud.post(f"/servers/{server['id']}/remote-consoles", {"remote_console": wanted}, version="2.10")
    assert answer.status == status and words in answer.body.decode()


def test_a_switched_off_type_is_said_to_be_unavailable(cloud: Cloud) -> None:
    from tests.harness.cloud import CONF

    server = cloud.boot()
    CONF.set_override("enabled", False, "vnc")
    try:
        answer = cloud.post(f"/servers/{server['id']}/remote-consoles", VNC)
    finally:
        CONF.clear_override("enabled", "vnc")
    assert (answer.status, answer.json["badRequest"]["message"]) == (400, "Unavailable console type novnc.")


def test_a_server_without_a_guest_or_on_its_way_out_is_not_ready(cloud: Cloud) -> None:
    homeless = cloud.boot(wait="ERROR", token=ADMIN, availability_zone="nova:no-such-host")
    answer = cloud.post(f"/servers/{homeless['id']}/remote-consoles", VNC)
    message = f"Instance {homeless['id']} is not ready"
    assert (answer.status, answer.json["conflictingRequest"]["message"]) == (409, message)
    assert cloud.post(f"/servers/{homeless['id']}/remote-consoles", VNC, token=STRANGER).status == 404
    server = cloud.boot()
    driver = cloud.drivers["host1"]
    driver.plan.delay("destroy", 1.0)
    cloud.delete(f"/servers/{server['id']}")
    answer = cloud.post(f"/servers/{server['id']}/remote-consoles", VNC)
    driver.plan.clear()
    assert answer.status == 409 and "while it is in task_state deleting" in answer.body.decode()


def test_no_log_line_has_a_token(cloud: Cloud, caplog: pytest.LogCaptureFixture, tmp_path: pathlib.Path) -> None:
    caplog.set_level(logging.DEBUG)
    token = _token(cloud, cloud.boot()["id"])
    cloud.get(f"/os-console-auth-tokens/{token}", token=ADMIN)
    assert token not in caplog.text
