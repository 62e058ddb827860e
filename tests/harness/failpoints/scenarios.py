"""Every operation of the table as a scenario: what it needs, how it is asked for, and how its traces are removed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.harness.cloud import ADMIN, CONF, Cloud, until


@dataclass(frozen=True)
class Scenario:
    """``prepare`` answers the server's id; ``act`` sends the one request that is broken, whatever comes of it."""

    name: str
    prepare: Callable[[Cloud], str]
    act: Callable[[Cloud, str], Any]
    after: Callable[[Cloud, str], Any] = lambda cloud, server: None

    def clean(self, cloud: Cloud, server: str) -> None:
        """Everything goes, also what the operation made without our knowing its id."""
        self.after(cloud, server)
        for each in cloud.get("/servers?all_tenants=1", token=ADMIN).json["servers"]:
            cloud.delete(f"/servers/{each['id']}", token=ADMIN)
        until(
            lambda: not cloud.get("/servers?all_tenants=1", token=ADMIN).json["servers"], 30,
            lambda: "a server does not go away",
        )  # fmt: skip


def _booted(cloud: Cloud) -> str:
    return str(cloud.boot()["id"])


def _in(action: str, status: str, body: Any = None, token: str | None = None) -> Callable[[Cloud], str]:
    """A server brought into a status by an action that nothing disturbs."""

    def prepare(cloud: Cloud) -> str:
        server = _booted(cloud)
        answer = cloud.act(server, action, body, **({"token": token} if token else {}))
        assert answer.status < 300, answer.body
        cloud.wait(server, status)
        return server

    return prepare


def _act(action: str, body: Any = None, token: str | None = None) -> Callable[[Cloud, str], Any]:
    return lambda cloud, server: cloud.act(server, action, body, **({"token": token} if token else {}))


def _nothing(cloud: Cloud) -> str:
    return ""


def _boot(cloud: Cloud, server: str) -> Any:
    body = {"name": "web", "imageRef": _image(cloud), "flavorRef": "42", "networks": "auto"}
    return cloud.post("/servers", {"server": body})


def _resized(cloud: Cloud) -> str:
    server = _booted(cloud)
    assert cloud.act(server, "resize", {"flavorRef": "1"}).status == 202
    cloud.wait(server, "VERIFY_RESIZE")
    return server


def _image(cloud: Cloud) -> str:
    return str(next(iter(cloud.images.images)))


def _key(cloud: Cloud) -> str:
    return str(uuid.uuid4())


def _boot_once(cloud: Cloud, key: str) -> Any:
    body = {"name": "once", "imageRef": _image(cloud), "flavorRef": "42", "networks": "auto"}
    return cloud.post("/servers", {"server": body}, headers={"Idempotency-Key": key})


def _said_again(cloud: Cloud, key: str) -> None:
    """Whatever became of the first, there is one server in the end, and one answer."""
    answers = [_boot_once(cloud, key) for _ in range(2)]
    assert [answer.status for answer in answers] == [202, 202], answers
    assert answers[0].body == answers[1].body
    servers = cloud.get("/servers?all_tenants=1", token=ADMIN).json["servers"]
    assert [each["id"] for each in servers] == [answers[0].json["server"]["id"]], servers


def _deletable(cloud: Cloud) -> str:
    """A server whose delete can be taken back."""
    CONF.set_override("reclaim_instance_interval", 3600)
    return _booted(cloud)


def _softly_deleted(cloud: Cloud) -> str:
    server = _deletable(cloud)
    assert cloud.delete(f"/servers/{server}").status == 204
    cloud.wait(server, "SOFT_DELETED")
    return server


def _for_good(cloud: Cloud, server: str) -> None:
    CONF.set_override("reclaim_instance_interval", 0)
    if cloud.show(server) is not None:
        cloud.act(server, "forceDelete", token=ADMIN)
        cloud.wait_gone(server, 30)


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("boot", _nothing, _boot),
    Scenario("boot once", _key, _boot_once, _said_again),
    Scenario("delete", _booted, lambda cloud, server: cloud.delete(f"/servers/{server}")),
    Scenario("soft delete", _deletable, lambda cloud, server: cloud.delete(f"/servers/{server}"), _for_good),
    Scenario("restore", _softly_deleted, _act("restore"), _for_good),
    Scenario("password", _booted, _act("changePassword", {"adminPass": "s3cret"})),
    Scenario("crash dump", _booted, _act("trigger_crash_dump")),
    Scenario("stop", _booted, _act("os-stop")),
    Scenario("start", _in("os-stop", "SHUTOFF"), _act("os-start")),
    Scenario("reboot", _booted, _act("reboot", {"type": "HARD"})),
    Scenario("pause", _booted, _act("pause")),
    Scenario("unpause", _in("pause", "PAUSED"), _act("unpause")),
    Scenario("suspend", _booted, _act("suspend")),
    Scenario("resume", _in("suspend", "SUSPENDED"), _act("resume")),
    Scenario("rebuild", _booted, lambda cloud, server: cloud.act(server, "rebuild", {"imageRef": _image(cloud)})),
    Scenario("rescue", _booted, _act("rescue")),
    Scenario("unrescue", _in("rescue", "RESCUE"), _act("unrescue")),
    Scenario("snapshot", _booted, _act("createImage", {"name": "snap"})),
    Scenario("backup", _booted, _act("createBackup", {"name": "b", "backup_type": "daily", "rotation": 1})),
    Scenario("shelve", _booted, _act("shelve")),
    Scenario("unshelve", _in("shelve", "SHELVED_OFFLOADED"), _act("unshelve")),
    Scenario("resize", _booted, _act("resize", {"flavorRef": "1"})),
    Scenario("confirm", _resized, _act("confirmResize")),
    Scenario("revert", _resized, _act("revertResize")),
    Scenario("migrate", _booted, _act("migrate", None, ADMIN)),
    Scenario("live migration", _booted, _act("os-migrateLive", {"host": None, "block_migration": "auto"}, ADMIN)),
)
