"""The answer of a commit that accepts is lost, and is missed only when everything is done: nothing is taken back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.compute import acceptance
from nova_lite.db.api import instances
from tests.harness.cloud import ADMIN, CTXT, IMAGE_ID, Cloud, until
from tests.harness.failpoints.breaker import is_at_work


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@contextlib.contextmanager
def _late(name: str) -> Iterator[None]:
    """A connection that is cut while the commit is on its way is noticed late."""
    accept = getattr(acceptance, name)

    def late(*args: Any, **kwargs: Any) -> Any:
        accept(*args, **kwargs)
        until(lambda: not is_at_work(), 20, lambda: "it is not done")
        raise exception.DatabaseUnavailable

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(acceptance, name, late)
        yield


def _status(cloud: Cloud, volume_id: str) -> str:
    return {row["id"]: str(row["status"]) for row in cloud.volumes.rows("/volumes/detail", "volumes")}[volume_id]


def _has(cloud: Cloud, server: str, volume_id: str) -> bool:
    """The guest works with it, the server knows it, and it is nobody else's to have."""
    known = [device.volume_id for device in instances.get(server).block_devices if device.is_volume]
    guest = next(driver.guests[server] for driver in cloud.drivers.values() if server in driver.guests)
    return known == [*guest.volumes] == [volume_id] and _status(cloud, volume_id) == "in-use"


def test_of_an_attach_a_swap_and_a_detach(cloud: Cloud) -> None:
    server, first, second = cloud.boot()["id"], cloud.volumes.make(CTXT), cloud.volumes.make(CTXT)
    path = f"/servers/{server}/os-volume_attachments"
    with _late("action"):
        assert cloud.post(path, {"volumeAttachment": {"volumeId": first}}).status == 503
    assert _has(cloud, server, first)
    with _late("action"):
        body = {"volumeAttachment": {"volumeId": second}}
        assert cloud.request("PUT", f"{path}/{first}", body, token=ADMIN).status == 503
    assert _has(cloud, server, second) and _status(cloud, first) == "available"
    with _late("action"):
        assert cloud.delete(f"{path}/{second}").status == 503
    assert _status(cloud, second) == "available" and not instances.get(server).block_devices[1:]
    cloud.wait_quiet()


def test_of_a_creation_with_a_key(cloud: Cloud) -> None:
    """It is answered as accepted: its key was kept with it."""
    volume = cloud.volumes.make(CTXT)
    local = {"boot_index": 0, "uuid": IMAGE_ID, "source_type": "image", "destination_type": "local"}
    mine = {"boot_index": -1, "uuid": volume, "source_type": "volume", "destination_type": "volume"}
    body = {
        "name": "late", "flavorRef": "42", "networks": "none", "imageRef": IMAGE_ID,
        "block_device_mapping_v2": [local, mine],
    }  # fmt: skip
    with _late("create"):
        answer = cloud.post("/servers", {"server": body}, headers={"Idempotency-Key": "late"})
    assert answer.status == 202, answer.body
    assert _has(cloud, answer.json["server"]["id"], volume)
    cloud.wait_quiet()


def test_of_a_snapshot_and_a_backup(cloud: Cloud) -> None:
    """The new backup is not lost when the old one was already rotated out for it."""
    server = cloud.boot()["id"]
    backup = {"backup_type": "daily", "rotation": 1}
    assert cloud.act(server, "createBackup", {"name": "first", **backup}).status == 202
    cloud.wait_quiet()
    with _late("action"):
        assert cloud.act(server, "createImage", {"name": "snapshot"}).status == 503
    with _late("action"):
        assert cloud.act(server, "createBackup", {"name": "second", **backup}).status == 503
    cloud.wait_quiet()
    found = {image.name: image.status for image in cloud.images.images.values() if image.id != IMAGE_ID}
    assert found == {"snapshot": "active", "second": "active"}
