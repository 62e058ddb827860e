"""Volumes and snapshots of the stand-in: made, read, changed, deleted, after a restart, too."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nova_lite.embedded.volume import records
from tests.unit.embedded.volume.conftest import IMAGE, PROJECTS, Volumes


def test_a_blank_volume_is_a_sparse_file(volumes: Volumes) -> None:
    volume = volumes.make(size=3, name="data", metadata={"a": "b"})
    file = volumes.file(volume).stat()
    assert (file.st_size, file.st_blocks, file.st_mode & 0o777) == (3 << 30, 0, 0o600)
    _, body = volumes.call("GET", f"/volumes/{volume}")
    shown = body["volume"]
    assert (shown["status"], shown["size"], shown["name"], shown["bootable"]) == ("available", 3, "data", "false")
    assert shown["metadata"] == {"a": "b"} and shown["os-vol-tenant-attr:tenant_id"] == PROJECTS["demo"]
    assert "os-vol-host-attr:host" not in shown
    assert volumes.call("DELETE", f"/volumes/{volume}")[0] == 202
    assert volumes.call("GET", f"/volumes/{volume}")[0] == 404 and not volumes.file(volume).exists()


def test_a_volume_of_an_image(volumes: Volumes) -> None:
    volume = volumes.make(imageRef=IMAGE)
    with open(volumes.file(volume), "rb") as file:
        assert file.read(14) == b"a boot sector\0"
    shown = volumes.call("GET", f"/volumes/{volume}")[1]["volume"]
    assert shown["bootable"] == "true"
    facts = shown["volume_image_metadata"]
    assert facts["image_id"] == IMAGE and facts["hw_disk_bus"] == "scsi" and facts["size"] == "13"


def test_an_image_that_lies_makes_no_volume(volumes: Volumes) -> None:
    _, body = volumes.call("POST", "/volumes", {"volume": {"size": 1, "imageRef": "1" * 8 + IMAGE[8:]}})
    assert volumes.settled(f"/volumes/{body['volume']['id']}", "volume")["status"] == "error"
    assert [path.name for path in (volumes.directory / "data").iterdir()] == []


def test_a_snapshot_and_a_clone_have_the_data(volumes: Volumes) -> None:
    volume = volumes.make(imageRef=IMAGE)
    _, body = volumes.call("POST", "/snapshots", {"snapshot": {"volume_id": volume, "name": "s"}})
    snapshot = body["snapshot"]["id"]
    assert volumes.settled(f"/snapshots/{snapshot}", "snapshot")["status"] == "available"
    volumes.file(volume).write_bytes(b"changed")
    for source in ({"snapshot_id": snapshot, "size": 2}, {"source_volid": volume}):
        made = volumes.make(**source)
        expected = b"a boot" if "snapshot_id" in source else b"change"
        with open(volumes.file(made), "rb") as file:
            assert file.read(6) == expected
        assert volumes.call("GET", f"/volumes/{made}")[1]["volume"]["bootable"] == "true"
    assert volumes.call("DELETE", f"/volumes/{volume}")[0] == 400
    assert volumes.call("DELETE", f"/snapshots/{snapshot}")[0] == 202
    assert volumes.call("DELETE", f"/volumes/{volume}")[0] == 202


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"size": 0}, 400), ({"size": "x"}, 400), ({"size": True}, 400), ({"size": None}, 400),
        ({"size": 1 << 40}, 400),
        ({"size": 1, "name": 5}, 400), ({"size": 1, "name": "x" * 256}, 400), ({"size": 1, "metadata": {"a": 1}}, 400),
        ({"size": 1, "imageRef": "nonsense"}, 400), ({"size": 1, "snapshot_id": IMAGE}, 404),
        ({"size": 1, "source_volid": IMAGE}, 404), ({"size": 1, "volume_type": "gold"}, 404),
        ({"size": 1, "imageRef": IMAGE, "source_volid": IMAGE}, 400), ({"size": 1, "snapshot_id": "x"}, 400),
    ],
)  # fmt: skip
def test_what_cannot_be_made(volumes: Volumes, wanted: dict[str, Any], status: int) -> None:
    assert volumes.call("POST", "/volumes", {"volume": wanted})[0] == status
    assert volumes.call("GET", "/volumes")[1] == {"volumes": []}


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"volume": 1}', b'{"volume": {"size": NaN}}', b"\xff"])
def test_odd_bodies_are_400(volumes: Volumes, body: bytes) -> None:
    assert volumes.call("POST", "/volumes", body)[0] == 400


def test_who_may_what(volumes: Volumes) -> None:
    volume = volumes.make()
    path = f"/volumes/{volume}"
    assert volumes.call("GET", path, user=None)[0] == 401
    assert volumes.call("GET", path, user="other")[0] == 404
    assert volumes.call("GET", path, user="other", project=PROJECTS["demo"])[0] == 400
    assert volumes.call("GET", path, user="reader")[0] == 200
    assert volumes.call("DELETE", path, user="reader")[0] == 403
    assert volumes.call("GET", "/volumes", user="admin")[1]["volumes"] == []
    assert len(volumes.call("GET", "/volumes?all_tenants=1", user="admin")[1]["volumes"]) == 1
    assert volumes.call("GET", "/volumes?all_tenants=1", user="other")[1]["volumes"] == []
    assert volumes.call("GET", path, user="admin")[1]["volume"]["os-vol-host-attr:host"]
    assert volumes.call("POST", path + "/action", {"os-reset_status": {"status": "error"}})[0] == 403


def test_pages_filters_and_order(volumes: Volumes) -> None:
    made = [volumes.make(name=f"v{number}", metadata={"n": str(number)}) for number in range(4)]
    first = volumes.call("GET", "/volumes/detail?limit=3")[1]
    assert [each["id"] for each in first["volumes"]] == made[:0:-1]
    assert first["volumes_links"][0]["href"].endswith(f"/volumes/detail?limit=3&marker={made[1]}")
    rest = volumes.call("GET", f"/volumes/detail?limit=3&marker={made[1]}")[1]
    assert [each["id"] for each in rest["volumes"]] == made[:1] and "volumes_links" not in rest
    assert [each["name"] for each in volumes.call("GET", "/volumes?sort=name:asc")[1]["volumes"]][0] == "v0"
    assert [each["name"] for each in volumes.call("GET", "/volumes?name=v2")[1]["volumes"]] == ["v2"]
    found = volumes.call("GET", "/volumes/detail?metadata={'n':'3'}")[1]["volumes"]
    assert [each["id"] for each in found] == [made[3]]
    for query in ("limit=x", "limit=-1", "marker=zzz", "metadata={"):
        assert volumes.call("GET", f"/volumes?{query}")[0] == 400


def test_metadata_and_names_change(volumes: Volumes) -> None:
    volume = volumes.make(metadata={"a": "b"})
    path = f"/volumes/{volume}/metadata"
    assert volumes.call("POST", path, {"metadata": {"c": "d"}})[1] == {"metadata": {"a": "b", "c": "d"}}
    assert volumes.call("DELETE", path + "/a")[0] == 200 and volumes.call("DELETE", path + "/a")[0] == 404
    assert volumes.call("PUT", path, {"metadata": {}})[1] == {"metadata": {}}
    _, body = volumes.call("PUT", f"/volumes/{volume}", {"volume": {"name": "new", "description": "d"}})
    assert (body["volume"]["name"], body["volume"]["description"]) == ("new", "d")


def test_actions(volumes: Volumes) -> None:
    volume = volumes.make()

    def act(action: str, body: Any = None, **options: Any) -> int:
        return volumes.call("POST", f"/volumes/{volume}/action", {action: body}, **options)[0]

    assert act("os-extend", {"new_size": 2}) == 202 and volumes.file(volume).stat().st_size == 2 << 30
    assert act("os-extend", {"new_size": 1}) == 400
    assert act("os-set_bootable", {"bootable": True}) == 200
    assert act("os-set_image_metadata", {"metadata": {"x": "y"}}) == 200
    assert act("os-unset_image_metadata", {"key": "zzz"}) == 404
    assert act("os-update_readonly_flag", {"readonly": True}) == 202
    assert act("os-retype", {"new_type": "multiattach"}) == 202 and act("os-retype", {"new_type": "multiattach"}) == 400
    assert act("os-reserve") == 202 and act("os-reserve") == 400 and act("os-unreserve") == 202
    assert act("os-begin_detaching") == 400 and act("os-roll_detaching") == 202
    assert act("os-reimage", {"image_id": IMAGE}, version="3.67") == 404
    assert act("os-reimage", {"image_id": IMAGE}) == 202
    assert volumes.settled(f"/volumes/{volume}", "volume")["status"] == "available"
    with open(volumes.file(volume), "rb") as file:
        assert file.read(6) == b"a boot"
    assert act("fly") == 400 and act("os-reset_status", {"status": "nonsense"}, user="admin") == 400
    assert act("os-reset_status", {"status": "error"}, user="admin") == 202
    assert act("os-force_delete", user="admin") == 202


def test_a_restart_keeps_what_was_answered(volumes: Volumes) -> None:
    volume = volumes.make(imageRef=IMAGE)
    cut = volumes.make()
    facts = volumes.directory / "facts/volumes" / f"{cut}.json"
    facts.write_text(json.dumps({**json.loads(facts.read_text()), "status": records.CREATING}))
    (volumes.directory / "data" / "scratch-1").write_bytes(b"left behind")
    volumes.restart()
    assert volumes.call("GET", f"/volumes/{volume}")[1]["volume"]["status"] == "available"
    assert volumes.call("GET", f"/volumes/{cut}")[1]["volume"]["status"] == "error"
    assert not (volumes.directory / "data" / "scratch-1").exists()


def test_types(volumes: Volumes) -> None:
    body = {"volume_type": {"name": "fast", "extra_specs": {"multiattach": "<is> True"}}}
    assert volumes.call("POST", "/types", body)[0] == 403
    kind = volumes.call("POST", "/types", body, user="admin")[1]["volume_type"]["id"]
    assert volumes.call("POST", "/types", body, user="admin")[0] == 409
    volume = volumes.make(volume_type="fast")
    assert volumes.call("GET", f"/volumes/{volume}")[1]["volume"]["multiattach"] is True
    assert volumes.call("DELETE", f"/types/{kind}", user="admin")[0] == 400
    assert {each["name"] for each in volumes.call("GET", "/types")[1]["volume_types"]} >= {"fast", "__DEFAULT__"}


def test_versions(volumes: Volumes) -> None:
    assert volumes.call("GET", "/volumes", version="3.71")[0] == 406
    assert volumes.call("GET", "/volumes", version="x")[0] == 400
    assert volumes.call("GET", "/attachments", version="3.26")[0] == 404
    assert volumes.call("GET", "/nothing")[0] == 404


@pytest.mark.parametrize(
    "path", ["/limits", f"/os-quota-sets/{PROJECTS['demo']}?usage=True", "/os-availability-zone", "/extensions",
             "/volumes/summary", "/snapshots", "/snapshots/detail", "/attachments/detail", "/types/default",
             "/backups"],
)  # fmt: skip
def test_what_clients_read(volumes: Volumes, path: str) -> None:
    assert volumes.call("GET", path)[0] == 200
