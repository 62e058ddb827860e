"""Servers whose root disk is a volume: their images, their rebuild, their rescue."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.db.api import provisional_images
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, IMAGE_ID, Answer, Cloud, until

ROOT = {
    "boot_index": 0, "uuid": IMAGE_ID, "source_type": "image", "destination_type": "volume", "volume_size": 1,
    "delete_on_termination": True,
}  # fmt: skip
OTHER_IMAGE = "155d900f-4e14-4e4c-a73d-069cbf4541e6"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=1) as running:
        tiny = running.images.images[IMAGE_ID]
        running.images.images[OTHER_IMAGE] = tiny.replace(id=OTHER_IMAGE, name="other")
        running.images.data[OTHER_IMAGE] = b"another root disk"
        yield running


@pytest.fixture(autouse=True)
def consistent(cloud: Cloud) -> Iterator[None]:
    """After each test the oracle finds nothing wrong."""
    yield
    cloud.volumes.plan.clear()
    cloud.wait_quiet()


@pytest.fixture
def server(cloud: Cloud) -> str:
    return str(cloud.boot(imageRef="", block_device_mapping_v2=[{**ROOT, "device_name": "vda"}])["id"])


def message(answer: Answer) -> tuple[int, str]:
    (inner,) = answer.json.values()
    return answer.status, inner["message"]


def place_of_root(cloud: Cloud, server: str) -> pathlib.Path:
    (path,) = cloud.drivers["host1"].guests[server].volumes.values()
    return pathlib.Path(path)


def test_an_image_names_snapshots_and_boots(cloud: Cloud, server: str) -> None:
    answer = cloud.act(server, "createImage", {"name": "shot", "metadata": {"a": "b"}})
    assert answer.status == 202
    image = cloud.images.images[answer.json["image_id"]]
    assert (image.status, image.size, image.properties["a"]) == ("active", 0, "b")
    (row,) = json.loads(image.properties["block_device_mapping"])
    assert (row["source_type"], row["boot_index"], row["device_name"]) == ("snapshot", 0, "/dev/vda")
    snapshot = row["snapshot_id"]
    assert cloud.volumes.rows("/snapshots", "snapshots")[0]["id"] == snapshot
    until(
        lambda: cloud.volumes.rows("/snapshots", "snapshots")[0]["status"] == "available", 5, lambda: "no snapshot"
    )  # fmt: skip
    second = cloud.boot(imageRef=image.id, name="second")
    assert second["image"] == ""
    (volume,) = second["os-extended-volumes:volumes_attached"]
    assert cloud.volumes.show(volume["id"])["snapshot_id"] == snapshot
    actions = cloud.get(f"/servers/{server}/os-instance-actions").json["instanceActions"]
    assert actions[0]["action"] == "createImage"


def test_an_image_that_fails_leaves_no_snapshot(cloud: Cloud, server: str) -> None:
    before = len(cloud.volumes.rows("/snapshots", "snapshots"))
    images = set(cloud.images.images)
    cloud.images.plan.add(FaultRule("upload", FaultKind.RAISE, times=1))
    assert cloud.act(server, "createImage", {"name": "shot"}).status == 500
    until(lambda: len(cloud.volumes.rows("/snapshots", "snapshots")) == before, 5, lambda: "a snapshot is left")
    assert set(cloud.images.images) == images


def test_an_image_that_was_given_up_meanwhile_is_not_answered_as_made(
    cloud: Cloud, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, upload = set(cloud.images.images), cloud.images.upload

    def slow(ctxt: Any, image_id: str, *args: Any) -> None:
        upload(ctxt, image_id, *args)
        provisional_images.keep(image_id)  # what is left of a promise that ran out: nothing

    monkeypatch.setattr(cloud.images, "upload", slow)
    assert cloud.act(server, "createImage", {"name": "shot"}).status == 503
    until(lambda: set(cloud.images.images) == images, 5, lambda: "the image is left")
    actions = cloud.get(f"/servers/{server}/os-instance-actions").json["instanceActions"]
    assert "createImage" not in {action["action"] for action in actions}


def test_no_backup(cloud: Cloud, server: str) -> None:
    body = {"name": "b", "backup_type": "daily", "rotation": 1}
    assert message(cloud.act(server, "createBackup", body)) == (
        400, "Backup is not supported for volume-backed instances.",
    )  # fmt: skip


def test_a_rebuild_writes_the_volume_anew(cloud: Cloud, server: str) -> None:
    before = place_of_root(cloud, server)
    body = {"imageRef": OTHER_IMAGE}
    status, text = message(cloud.act(server, "rebuild", body, version="2.92"))
    assert status == 400 and text.endswith("Unable to rebuild with a different image for a volume-backed server.")
    answer = cloud.act(server, "rebuild", body, version="2.93")
    assert answer.status == 202 and answer.json["server"]["image"] == ""
    cloud.wait(server, "ACTIVE")
    assert place_of_root(cloud, server) == before
    with open(before, "rb") as file:
        assert file.read(17) == b"another root disk"


def test_a_rebuild_of_the_same_image_keeps_the_volume_before_2_93(cloud: Cloud, server: str) -> None:
    place_of_root(cloud, server).write_bytes(b"mine")
    assert cloud.act(server, "rebuild", {"imageRef": IMAGE_ID}, version="2.92").status == 202
    cloud.wait(server, "ACTIVE")
    assert place_of_root(cloud, server).read_bytes() == b"mine"


def test_a_failed_rebuild_can_be_repeated(cloud: Cloud, server: str) -> None:
    cloud.volumes.plan.add(FaultRule("PUT /attachments", FaultKind.RAISE, times=2))
    assert cloud.act(server, "rebuild", {"imageRef": OTHER_IMAGE}).status == 202
    cloud.wait(server, "ERROR")
    assert cloud.act(server, "rebuild", {"imageRef": OTHER_IMAGE}).status == 202
    cloud.wait(server, "ACTIVE")


@pytest.mark.parametrize("body", [None, {"rescue_image_ref": OTHER_IMAGE}])
def test_a_rescue(cloud: Cloud, server: str, body: Any) -> None:
    status, text = message(cloud.act(server, "rescue", body, version="2.86"))
    assert status == 400 and "Cannot rescue a volume-backed instance" in text
    assert cloud.act(server, "rescue", body, version="2.87", token=ADMIN).status == 200
    cloud.wait(server, "RESCUE")
    assert cloud.act(server, "unrescue").status == 202
    cloud.wait(server, "ACTIVE")
