"""Attachments of the stand-in: what each step makes of the volume, and who is refused."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from nova_lite.embedded import files
from tests.unit.embedded.volume.conftest import Volumes

SERVER, OTHER = "6edbc2f4-1507-44f8-ac0d-eed1d2608d38", "7edbc2f4-1507-44f8-ac0d-eed1d2608d38"


def _reserve(volumes: Volumes, volume: str, server: str = SERVER, **more: Any) -> tuple[int, Any]:
    body = {"attachment": {"volume_uuid": volume, "instance_uuid": server, **more}}
    return volumes.call("POST", "/attachments", body)


def _attach(volumes: Volumes, volume: str, server: str = SERVER) -> str:
    status, body = _reserve(volumes, volume, server)
    assert status == 200, body
    attachment = str(body["attachment"]["id"])
    connector = {"attachment": {"connector": {"host": "h", "mountpoint": "/dev/vdb"}}}
    assert volumes.call("PUT", f"/attachments/{attachment}", connector)[0] == 200
    assert volumes.call("POST", f"/attachments/{attachment}/action", {"os-complete": {}})[0] == 204
    return attachment


def _status(volumes: Volumes, volume: str) -> str:
    return str(volumes.call("GET", f"/volumes/{volume}")[1]["volume"]["status"])


def test_the_way_of_a_volume(volumes: Volumes) -> None:
    volume = volumes.make()
    _, body = _reserve(volumes, volume)
    attachment = body["attachment"]["id"]
    assert body["attachment"]["connection_info"] == {} and _status(volumes, volume) == "reserved"
    path = f"/attachments/{attachment}"
    _, body = volumes.call("PUT", path, {"attachment": {"connector": {"host": "h", "mountpoint": "/dev/vdb"}}})
    info = body["attachment"]["connection_info"]
    assert (info["driver_volume_type"], info["device_path"]) == ("local", str(volumes.file(volume)))
    assert _status(volumes, volume) == "attaching"
    assert volumes.call("POST", path + "/action", {"os-complete": {}}, version="3.43")[0] == 404
    assert volumes.call("POST", path + "/action", {"os-complete": {}})[0] == 204
    shown = volumes.call("GET", f"/volumes/{volume}")[1]["volume"]
    (attached,) = shown["attachments"]
    assert shown["status"] == "in-use"
    assert (attached["server_id"], attached["host_name"], attached["device"]) == (SERVER, "h", "/dev/vdb")
    assert volumes.call("DELETE", f"/volumes/{volume}")[0] == 400
    assert volumes.call("POST", f"/volumes/{volume}/action", {"os-begin_detaching": None})[0] == 202
    assert volumes.call("DELETE", path) == (200, {"attachments": []})
    assert _status(volumes, volume) == "available" and volumes.call("DELETE", path)[0] == 404


def test_one_server_at_a_time(volumes: Volumes) -> None:
    volume = volumes.make()
    first = _attach(volumes, volume)
    assert _reserve(volumes, volume, OTHER)[0] == 400
    # The same server, on its way to another host: reserved and connected in one, or not before the first has gone.
    second = _reserve(volumes, volume, connector={"host": "h2"})[1]["attachment"]["id"]
    assert volumes.call("POST", f"/attachments/{second}/action", {"os-complete": {}})[0] == 204
    assert [each["id"] for each in volumes.call("DELETE", f"/attachments/{first}")[1]["attachments"]] == [second]
    assert _status(volumes, volume) == "in-use"


def test_no_volume_is_connected_to_a_second_host_by_an_attachment_that_was_reserved(volumes: Volumes) -> None:
    """As in Cinder's ``attachment_update``."""
    volume = volumes.make()
    first = _attach(volumes, volume)
    second = _reserve(volumes, volume)[1]["attachment"]["id"]
    connector = {"attachment": {"connector": {"host": "h2"}}}
    assert volumes.call("PUT", f"/attachments/{second}", connector)[0] == 400
    volumes.call("DELETE", f"/attachments/{first}")
    assert volumes.call("PUT", f"/attachments/{second}", connector)[0] == 200


def test_what_is_just_being_connected_is_reserved_for_nobody(volumes: Volumes) -> None:
    """As in Cinder's ``_attachment_reserve``: not even for the same server."""
    volume = volumes.make()
    first = _reserve(volumes, volume, connector={"host": "h"})[1]["attachment"]["id"]
    assert _status(volumes, volume) == "attaching" and _reserve(volumes, volume)[0] == 400
    volumes.call("DELETE", f"/attachments/{first}")
    assert _reserve(volumes, volume)[0] == 200 and _reserve(volumes, volume)[0] == 200


@pytest.mark.parametrize("user", ["demo", "admin"])
def test_what_a_server_has_is_given_back_by_a_service_only(volumes: Volumes, user: str) -> None:
    """As in Cinder since OSSA-2023-003: an administrator is none."""
    volume = volumes.make()
    attachment = _reserve(volumes, volume)[1]["attachment"]["id"]
    assert volumes.call("DELETE", f"/attachments/{attachment}", vouched=False, user="demo")[0] == 200, "only reserved"
    attachment = _attach(volumes, volume)
    assert volumes.call("DELETE", f"/attachments/{attachment}", vouched=False, user=user)[0] == 409
    assert volumes.call("DELETE", f"/attachments/{attachment}", user=user)[0] == 200


def test_a_shared_volume(volumes: Volumes) -> None:
    volume = volumes.make(volume_type="multiattach")
    first, _ = _attach(volumes, volume), _attach(volumes, volume, OTHER)
    rows = volumes.call("GET", f"/attachments?instance_id={OTHER}")[1]["attachments"]
    assert len(rows) == 1 and rows[0]["instance"] == OTHER
    volumes.call("DELETE", f"/attachments/{first}")
    assert _status(volumes, volume) == "in-use"


def test_what_cannot_be(volumes: Volumes) -> None:
    volume = volumes.make()
    assert _reserve(volumes, OTHER)[0] == 404 and _reserve(volumes, "x")[0] == 400
    assert _reserve(volumes, volume, "x")[0] == 400 and _reserve(volumes, volume, mode="wo")[0] == 400
    assert _reserve(volumes, volume, connector=[1])[0] == 400
    attachment = _attach(volumes, volume)
    assert volumes.call("GET", f"/attachments/{attachment}", user="other")[0] == 404
    assert volumes.call("PUT", f"/attachments/{attachment}", {"attachment": {}})[0] == 400
    assert volumes.call("POST", f"/attachments/{attachment}/action", {"fly": {}})[0] == 400
    volumes.restart()
    assert volumes.call("GET", f"/attachments/{attachment}")[1]["attachment"]["status"] == "attached"


def test_on_a_full_disk_volume_and_attachment_still_agree(volumes: Volumes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Either nothing happened, and asking again does it, or all of it did."""
    free, held = volumes.make(), volumes.make()
    attachment = _attach(volumes, held)
    write, full = files.replace_private, [f"{free}.json", f"{held}.json"]

    def refuse(path: Path, data: bytes) -> None:
        if path.name in full:
            full.remove(path.name)
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, data)

    monkeypatch.setattr(files, "replace_private", refuse)
    assert _reserve(volumes, free)[0] >= 500
    assert volumes.call("DELETE", f"/attachments/{attachment}")[0] >= 500
    assert not full
    assert (_status(volumes, free), _status(volumes, held)) == ("available", "in-use")
    assert [each["id"] for each in volumes.call("GET", "/attachments")[1]["attachments"]] == [attachment]
    assert volumes.call("DELETE", f"/attachments/{attachment}")[0] == 200
    assert _reserve(volumes, free)[0] == 200
    assert (_status(volumes, free), _status(volumes, held)) == ("reserved", "available")
