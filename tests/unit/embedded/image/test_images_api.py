"""Creating, showing, changing and deleting images; who may."""

from __future__ import annotations

import errno
import uuid

import pytest
import webob

from nova_lite import exception
from nova_lite.embedded import bodies

SHOWN = {
    "id", "name", "status", "visibility", "owner", "protected", "os_hidden", "size", "virtual_size", "checksum",
    "os_hash_algo", "os_hash_value", "disk_format", "container_format", "min_disk", "min_ram", "tags", "created_at",
    "updated_at", "self", "file", "schema",
}  # fmt: skip


def test_a_new_image_is_queued_shared_and_its_makers(images):
    answer = images.request("POST", "/v2/images", {"name": "x", "hw_disk_bus": "virtio", "tags": ["b", "a"]})
    image = answer.json
    assert answer.status_int == 201 and answer.headers["Location"].endswith(image["self"])
    assert set(image) == SHOWN | {"hw_disk_bus"}
    assert image["status"] == "queued" and image["visibility"] == "shared" and image["owner"] == "demo"
    assert image["tags"] == ["a", "b"] and image["size"] is None and image["created_at"].endswith("Z")
    assert images.show(image["id"]) == image


def test_an_id_may_be_given_once(images):
    ident = str(uuid.uuid4())
    assert images.create(id=ident)["id"] == ident
    assert images.request("POST", "/v2/images", {"id": ident}).status_int == 409


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 400), ({"name": 1}, 400), ({"name": "x" * 256}, 400), ({"min_disk": -1}, 400), ({"min_ram": True}, 400),
        ({"disk_format": "floppy"}, 400), ({"visibility": "secret"}, 400), ({"protected": "yes"}, 400),
        ({"tags": "x"}, 400), ({"custom": 1}, 400), ({"custom": None}, 400), ({"x" * 256: "y"}, 400),
        ({"id": "../../etc/passwd"}, 400), ({"id": 7}, 400), ({"status": "active"}, 403), ({"size": 1}, 403),
        ({"locations": []}, 403), ({"deleted": False}, 403), ({"visibility": "public"}, 403), ({"owner": "other"}, 403),
        ({f"p{i}": "x" for i in range(129)}, 413), ({"tags": [str(i) for i in range(129)]}, 413), (b"{", 400),
        (b'{"name": "\\ud800"}', 400), (b"[" * 100000, 400), (b" " * ((1 << 20) + 1), 413),
    ],
)  # fmt: skip
def test_what_is_no_image_is_refused_and_leaves_nothing(images, body, status):
    answer = images.request("POST", "/v2/images", body)
    assert answer.status_int == status and set(answer.json) == {"message", "code", "title"}
    assert images.names() == []


@pytest.mark.parametrize("kind", [ValueError, OverflowError, ConnectionResetError])
def test_chunks_that_are_none_are_400(kind):
    class Broken:
        def read(self, *size):
            raise kind

    req = webob.Request.blank("/v2/images", method="POST", content_type="application/json")
    req.environ |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": Broken()}
    with pytest.raises(exception.MalformedBody):
        bodies.read(req, 100)


def test_a_full_disk_is_503_and_leaves_nothing(images, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        assert images.request("POST", "/v2/images", {"name": "x"}).status_int == 503
    assert images.names() == []


def test_another_media_type_is_415(images):
    assert images.request("POST", "/v2/images", b"{}", Content_Type="text/plain").status_int == 415


def test_without_a_proven_token_everything_but_versions_is_401(images):
    spoofed = {"X_Identity_Status": "Confirmed", "X_Roles": "admin", "X_Project_Id": "demo"}
    for path in ("/v2/images", "/v2/schemas/image", "/v2/info/import"):
        assert images.request("GET", path, who=None, **spoofed).status_int == 401
    assert images.request("GET", "/", who=None).status_int == 300
    assert images.request("GET", "/versions", who=None).json["versions"][0]["status"] == "CURRENT"


def test_schemas_and_import_methods(images):
    properties = images.request("GET", "/v2/schemas/image").json["properties"]
    assert set(properties) == SHOWN
    for name in ("images", "member", "members"):
        assert images.request("GET", f"/v2/schemas/{name}").json["name"] == name
    assert images.request("GET", "/v2/info/import").json["import-methods"]["value"] == []


@pytest.mark.parametrize(
    ("visibility", "status"), [("private", 404), ("shared", 404), ("community", 200), ("public", 200)]
)
def test_who_sees_an_image(images, visibility, status):
    ident = images.create("admin", visibility=visibility)["id"]
    assert images.request("GET", f"/v2/images/{ident}", who="other").status_int == status
    hidden_or_not = 404 if status == 404 else 403
    assert images.request("DELETE", f"/v2/images/{ident}", who="other").status_int == hidden_or_not
    assert images.patch(ident, [], who="other").status_int == hidden_or_not
    assert images.put(ident, b"x", who="other").status_int == hidden_or_not


def test_a_reader_reads_only(images):
    ident = images.create("admin", owner="reader")["id"]
    assert images.show(ident, "reader")["owner"] == "reader"
    assert images.request("POST", "/v2/images", {}, who="reader").status_int == 403
    assert images.request("DELETE", f"/v2/images/{ident}", who="reader").status_int == 403


def test_a_protected_image_stays(images):
    ident = images.create(protected=True)["id"]
    assert images.request("DELETE", f"/v2/images/{ident}").status_int == 403
    assert images.patch(ident, [{"op": "replace", "path": "/protected", "value": False}]).status_int == 200
    assert images.request("DELETE", f"/v2/images/{ident}").status_int == 204
    assert images.request("GET", f"/v2/images/{ident}").status_int == 404
    assert images.request("DELETE", f"/v2/images/{ident}").status_int == 404


def test_delete_takes_the_data_along(images):
    ident = images.active()["id"]
    assert (images.directory / "data" / ident).exists()
    images.request("DELETE", f"/v2/images/{ident}")
    assert list(images.directory.rglob("*-*")) == []


@pytest.mark.parametrize(
    "path", ["/v2/images/x", "/v2/images/..%2f..%2fetc", "/v2/images/../../x", "/v1/images", "/v2/imagesx"]
)
def test_unknown_paths_are_404(images, path):
    for method in ("GET", "DELETE"):
        assert images.request(method, path).status_int in (404, 405)


def test_tags_come_and_go_one_by_one(images):
    ident = images.create()["id"]
    for _ in range(2):
        assert images.request("PUT", f"/v2/images/{ident}/tags/blue").status_int == 204
    assert images.show(ident)["tags"] == ["blue"]
    assert images.request("DELETE", f"/v2/images/{ident}/tags/blue").status_int == 204
    assert images.request("DELETE", f"/v2/images/{ident}/tags/blue").status_int == 404


def test_only_the_administrator_deactivates_and_then_only_he_downloads(images):
    ident = images.active()["id"]
    assert images.request("POST", f"/v2/images/{ident}/actions/deactivate").status_int == 403
    assert images.request("POST", f"/v2/images/{ident}/actions/deactivate", who="admin").status_int == 204
    assert images.show(ident)["status"] == "deactivated"
    assert images.request("GET", f"/v2/images/{ident}/file").status_int == 403
    assert images.request("GET", f"/v2/images/{ident}/file", who="admin").body == b"bytes"
    assert images.request("POST", f"/v2/images/{ident}/actions/reactivate", who="admin").status_int == 204
    assert images.request("GET", f"/v2/images/{ident}/file").body == b"bytes"
    queued = images.create()["id"]
    assert images.request("POST", f"/v2/images/{queued}/actions/deactivate", who="admin").status_int == 403


def test_members_share_an_image_when_they_accept(images):
    ident = images.create(name="ours")["id"]
    members = f"/v2/images/{ident}/members"
    assert images.request("POST", members, {"member": "friend"}).json["status"] == "pending"
    assert images.request("POST", members, {"member": "friend"}).status_int == 409
    assert images.request("POST", members, {}).status_int == 400
    assert images.show(ident, "friend")["id"] == ident and images.names(who="friend") == []
    assert images.names("?member_status=pending", who="friend") == ["ours"]
    assert images.request("PUT", f"{members}/friend", {"status": "accepted"}).status_int == 403
    assert images.request("PUT", f"{members}/friend", {"status": "maybe"}, who="friend").status_int == 400
    assert images.request("PUT", f"{members}/friend", {"status": "accepted"}, who="friend").status_int == 200
    assert images.names(who="friend") == ["ours"]
    assert images.request("POST", members, {"member": "third"}, who="friend").status_int == 403
    assert len(images.request("GET", members).json["members"]) == 1
    assert images.request("GET", f"{members}/friend").json["member_id"] == "friend"
    assert images.request("GET", f"{members}/nobody").status_int == 404
    assert images.request("GET", members, who="stranger").status_int == 404
    assert images.request("DELETE", f"{members}/friend").status_int == 204
    assert images.request("GET", f"/v2/images/{ident}", who="friend").status_int == 404
    private = images.create(visibility="private")["id"]
    assert images.request("GET", f"/v2/images/{private}/members").status_int == 403


def test_nothing_runs_in_the_background(images):
    image = images.request("POST", "/v2/images", {"name": "x"}).json["id"]
    assert images.request("GET", f"/v2/images/{image}/tasks").json == {"tasks": []}
    assert images.request("GET", f"/v2/images/{image}/tasks", who="other").status_int == 404
