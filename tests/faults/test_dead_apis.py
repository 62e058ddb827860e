"""An API that dies between what it asks of the volume service and the acceptance leaves nothing reserved or made."""

from __future__ import annotations

import contextlib
import datetime
import types
from collections.abc import Iterator
from typing import Any

import pytest
from oslo_config import cfg
from sqlalchemy import select

from nova_lite.compute import acceptance, reservations
from nova_lite.compute.doors.volume_images import VolumeImageDoor
from nova_lite.db import clock
from nova_lite.db.api import provisional_images, provisional_volumes
from nova_lite.db.models import ProvisionalVolume
from nova_lite.db.session import reader
from tests.harness.cloud import ADMIN, CTXT, IMAGE_ID, USER, Cloud, until

ROOT = {
    "boot_index": 0, "uuid": IMAGE_ID, "source_type": "image", "destination_type": "volume", "volume_size": 1,
}  # fmt: skip


class _Killed(BaseException):
    """As kill -9: nothing that comes after it in the request is done."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@contextlib.contextmanager
def _dying(cloud: Cloud) -> Iterator[None]:
    """The acceptance within kills its API; what an API that lives would undo stays undone."""

    def die(*_: Any, **__: Any) -> Any:
        raise _Killed

    with pytest.MonkeyPatch.context() as patch, pytest.raises(_Killed):
        patch.setattr(acceptance, "create", die)
        patch.setattr(acceptance, "action", die)
        patch.setattr(provisional_volumes, "refused", lambda _: None)
        patch.setattr(reservations, "give_back", die)
        for undo in ("attachment_delete", "roll_detaching"):
            patch.setattr(cloud.volumes, undo, die)
        yield


def _after(cloud: Cloud) -> None:
    """Later, when no request of then can still be under way."""
    assert provisional_volumes.due() == []
    now, later = clock.now, datetime.timedelta(seconds=cfg.CONF.operations.acceptance_s + 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(provisional_volumes, "clock", types.SimpleNamespace(now=lambda: now() + later))
        until(lambda: provisional_volumes.due() == [], 20, lambda: f"left: {provisional_volumes.due()}")
    cloud.wait_quiet()


def _statuses(cloud: Cloud) -> dict[str, str]:
    return {row["id"]: row["status"] for row in cloud.volumes.rows("/volumes/detail", "volumes")}


def test_of_a_creation(cloud: Cloud) -> None:
    mine = cloud.volumes.make(CTXT)
    before = _statuses(cloud)
    body = {
        "name": "never", "flavorRef": "42", "networks": "none", "imageRef": "",
        "block_device_mapping_v2": [ROOT, {"uuid": mine, "source_type": "volume", "destination_type": "volume"}],
    }  # fmt: skip
    with _dying(cloud):
        cloud.post("/servers", {"server": body}, token=USER)
    assert len(_statuses(cloud)) == len(before) + 1 and _statuses(cloud)[mine] == "reserved"
    _after(cloud)
    assert _statuses(cloud) == before


def test_of_an_attach(cloud: Cloud) -> None:
    server, volume = cloud.boot()["id"], cloud.volumes.make(CTXT)
    with _dying(cloud):
        cloud.post(f"/servers/{server}/os-volume_attachments", {"volumeAttachment": {"volumeId": volume}})
    assert _statuses(cloud)[volume] == "reserved"
    _after(cloud)
    assert _statuses(cloud)[volume] == "available"


@pytest.mark.parametrize("method", ["DELETE", "PUT"])
def test_of_a_detach_and_a_swap(cloud: Cloud, method: str) -> None:
    server, volume, other = cloud.boot()["id"], cloud.volumes.make(CTXT), cloud.volumes.make(CTXT)
    path = f"/servers/{server}/os-volume_attachments"
    assert cloud.post(path, {"volumeAttachment": {"volumeId": volume}}).status == 202
    until(lambda: _statuses(cloud)[volume] == "in-use", 20, lambda: "it never came")
    cloud.wait_quiet()
    body = {"volumeAttachment": {"volumeId": other}} if method == "PUT" else None
    with _dying(cloud):
        cloud.request(method, f"{path}/{volume}", body, token=ADMIN)
    assert _statuses(cloud)[volume] == "detaching"
    _after(cloud)
    assert (_statuses(cloud)[volume], _statuses(cloud)[other]) == ("in-use", "available")


def test_of_an_image_of_a_volume(cloud: Cloud) -> None:
    """Neither image nor snapshot stays."""
    server = cloud.boot(imageRef="", block_device_mapping_v2=[ROOT])["id"]
    before = set(cloud.images.images)
    with _dying(cloud), pytest.MonkeyPatch.context() as patch:
        patch.setattr(acceptance, "at_once", acceptance.create)
        patch.setattr(VolumeImageDoor, "_give_back", lambda *_: None)
        patch.setattr(provisional_images, "refused", lambda *_: False)
        cloud.act(server, "createImage", {"name": "never"})
    (image,) = set(cloud.images.images) - before
    assert [each.image_id for each in provisional_images.list_all()] == [image]
    assert len(cloud.volumes.rows("/snapshots", "snapshots")) == 1
    provisional_images.discard(image, server)
    until(lambda: provisional_images.list_all() == [], 20, lambda: f"left: {provisional_images.list_all()}")
    assert set(cloud.images.images) == before and cloud.volumes.rows("/snapshots", "snapshots") == []
    cloud.wait_quiet()


def test_a_request_that_is_too_slow_is_not_accepted(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it had reserved may be somebody else's by then."""
    volume = cloud.volumes.make(CTXT)
    create = acceptance.create

    def late(*args: Any, **kwargs: Any) -> Any:
        for row in _rows():
            provisional_volumes.doom(row)
        return create(*args, **kwargs)

    monkeypatch.setattr(acceptance, "create", late)
    mine = {"uuid": volume, "source_type": "volume", "destination_type": "volume"}
    local = {"boot_index": 0, "uuid": IMAGE_ID, "source_type": "image", "destination_type": "local"}
    body = {
        "name": "late", "flavorRef": "42", "networks": "none", "imageRef": IMAGE_ID,
        "block_device_mapping_v2": [local, mine],
    }  # fmt: skip
    answer = cloud.post("/servers", {"server": body})
    assert answer.status == 503, answer.body
    monkeypatch.undo()
    until(lambda: _statuses(cloud)[volume] == "available", 20, lambda: "it stays reserved")
    cloud.wait_quiet()


def _rows() -> list[int]:
    with reader() as session:
        return list(session.scalars(select(ProvisionalVolume.__table__.c.id)))
