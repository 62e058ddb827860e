"""Bytes in and out: hashes, ranges, broken uploads, formats, restarts."""

from __future__ import annotations

import hashlib
import json
import struct

import pytest
import webob

from nova_lite import exception
from nova_lite.embedded.image.wsgi import make_app


def test_an_upload_becomes_an_active_image_with_its_hashes(images):
    data = bytes(range(256)) * 3000
    image = images.active(data)
    assert image["status"] == "active" and image["size"] == image["virtual_size"] == len(data)
    assert image["checksum"] == hashlib.md5(data).hexdigest()
    assert (image["os_hash_algo"], image["os_hash_value"]) == ("sha512", hashlib.sha512(data).hexdigest())
    answer = images.request("GET", image["file"])
    assert answer.body == data and answer.content_length == len(data)
    assert answer.headers["Content-MD5"] == image["checksum"]
    assert (images.directory / "data" / image["id"]).stat().st_mode & 0o777 == 0o600


def test_an_image_without_data_is_204(images):
    assert images.request("GET", images.create()["file"]).status_int == 204


@pytest.mark.parametrize(
    ("text", "status", "body", "span"),
    [
        ("bytes=3-", 206, b"3456789", "bytes 3-9/10"),
        ("bytes=0-0", 206, b"0", "bytes 0-0/10"),
        ("bytes=5-99", 206, b"56789", "bytes 5-9/10"),
        ("bytes=10-", 416, None, None),
        ("bytes=5-4", 416, None, None),
        ("bytes=-3", 200, b"0123456789", None),
        ("lines=1-2", 200, b"0123456789", None),
    ],
)
def test_ranges(images, text, status, body, span):
    answer = images.request("GET", images.active(b"0123456789")["file"], Range=text)
    assert answer.status_int == status and answer.headers.get("Content-Range") == span
    assert body is None or answer.body == body


def test_data_is_given_once(images):
    image = images.active()
    assert images.put(image["id"], b"other").status_int == 409
    assert images.request("GET", image["file"]).body == b"bytes"


def chunked(images, path, source):
    req = webob.Request.blank(path, method="PUT", content_type="application/octet-stream")
    req.headers.update({"X-Identity-Status": "Confirmed", "X-Project-Id": "demo", "X-Roles": "member"})
    req.environ |= {"keystone.token_auth": object(), "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": source}
    req.environ.pop("CONTENT_LENGTH", None)
    return req.get_response(images.app)


class Source:
    """A request's body of so many bytes, which may end in an error."""

    def __init__(self, size: int, error: Exception | None = None) -> None:
        self.left, self.error = size, error

    def read(self, size: int) -> bytes:
        if not self.left and self.error:
            raise self.error
        size = min(size, self.left)
        self.left -= size
        return b"x" * size


def test_chunks_are_taken_until_they_end(images):
    image = images.create()
    assert chunked(images, image["file"], Source(1_000_000)).status_int == 204
    assert images.show(image["id"])["size"] == 1_000_000


@pytest.fixture
def assert_queued_again(images):
    def check(image):
        assert images.show(image["id"])["status"] == "queued"
        assert list((images.directory / "data").iterdir()) == []
        assert images.put(image["id"], b"second try").status_int == 204

    return check


def test_endless_chunks_end_at_the_limit(make_conf, images, assert_queued_again):
    images.app = make_app(make_conf(image_size_max=500_000))
    image = images.create()
    assert chunked(images, image["file"], Source(1 << 60)).status_int == 413
    assert_queued_again(image)


def test_an_announced_giant_is_413_unread(make_conf, images, assert_queued_again):
    images.app = make_app(make_conf(image_size_max=100))
    image = images.create()
    assert images.put(image["id"], b"x" * 101).status_int == 413
    assert_queued_again(image)


@pytest.mark.parametrize("error", [None, OSError("reset"), ValueError("bad chunk"), OverflowError("huge chunk")])
def test_a_broken_upload_is_queued_again(images, assert_queued_again, error):
    image = images.create()
    if error is None:
        answer = images.put(image["id"], b"abc", Content_Length="10")
    else:
        answer = chunked(images, image["file"], Source(3, error))
    assert answer.status_int == 400
    assert_queued_again(image)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content_Type": "application/json"}, 415),
        ({"X_OpenStack_Image_Size": "6"}, 400),
        ({"Content_Length": "-5"}, 400),
        ({"Content_Length": "1e3"}, 400),
    ],
)
def test_odd_uploads_are_refused(images, assert_queued_again, headers, status):
    image = images.create()
    assert images.put(image["id"], b"bytes", **headers).status_int == status
    assert_queued_again(image)


def test_formats_must_be_known_before_the_data(images):
    ident = images.request("POST", "/v2/images", {}).json["id"]
    assert images.put(ident, b"x").status_int == 400


def test_the_virtual_size_is_the_contents(images, qcow2):
    assert images.active(qcow2, disk_format="qcow2")["virtual_size"] == 1 << 30


def backed(qcow2: bytes) -> bytes:
    """The same with a backing file."""
    return qcow2[:8] + struct.pack(">QI", 1024, 11) + qcow2[20:1024] + b"/etc/passwd" + qcow2[1035:]


def test_a_format_that_is_not_the_declared_one_is_415(images, qcow2, assert_queued_again):
    for declared, data in (("raw", qcow2), ("qcow2", b"plain text" * 100), ("vmdk", qcow2), ("raw", backed(qcow2))):
        image = images.create(disk_format=declared)
        answer = images.put(image["id"], data)
        assert answer.status_int == 415 and declared in answer.json["message"]
        assert images.show(image["id"])["status"] == "queued"
    assert list((images.directory / "data").iterdir()) == []


def test_the_check_of_formats_may_be_left_out_for_tests(make_conf, images, qcow2):
    images.app = make_app(make_conf(require_image_format_match=False))
    image = images.active(qcow2, disk_format="raw")
    assert image["status"] == "active" and image["virtual_size"] is None


@pytest.mark.parametrize("data", [b"", b"Q", b"QFI\xfb", b"QFI\xfb" + b"\xff" * 300, b"KDMV" + b"\xff" * 3000])
def test_stubs_of_formats_break_nothing(images, data):
    for declared in ("qcow2", "vmdk", "vhdx", "iso", "raw"):
        image = images.create(disk_format=declared)
        assert images.put(image["id"], data).status_int in (204, 415)
        images.request("DELETE", image["self"])


def test_everything_outlives_a_restart(images):
    before = images.active(b"kept", name="kept", custom="value")
    queued = images.create(name="queued")
    images.restart()
    assert images.show(before["id"]) == before and images.show(queued["id"]) == queued
    assert images.request("GET", before["file"]).body == b"kept"


def test_a_kill_during_an_upload_leaves_a_queued_image(images):
    image, data = images.create(), images.directory / "data"
    facts = images.directory / "facts" / f"{image['id']}.json"
    facts.write_text(json.dumps(json.loads(facts.read_text()) | {"status": "saving"}))
    (data / f"{image['id']}.abc.part").write_bytes(b"half")
    (data / image["id"]).write_bytes(b"whole but unsaid")
    (images.directory / "facts" / ".x.json.tmp").write_bytes(b"{")
    images.restart()
    assert images.show(image["id"])["status"] == "queued"
    assert list(data.iterdir()) == [] and len(list((images.directory / "facts").iterdir())) == 1
    assert images.put(image["id"], b"again").status_int == 204


def test_broken_facts_stop_the_start(images):
    (images.directory / "facts" / "x.json").write_text("[1]")
    with pytest.raises(exception.ConfigInvalid, match="x.json"):
        images.restart()


def test_deleted_during_its_upload(images):
    image = images.create()

    class Deleting(Source):
        def read(self, size: int) -> bytes:
            if not self.left:
                assert images.request("DELETE", image["self"]).status_int == 204
            return super().read(size)

    assert chunked(images, image["file"], Deleting(10)).status_int == 410
    assert list((images.directory / "data").iterdir()) == []
