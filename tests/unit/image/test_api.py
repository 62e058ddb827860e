"""The image client against a Glance that is a table of answers: errors, pages, broken downloads."""

from __future__ import annotations

import datetime
import hashlib
import io
import json

import pytest
import requests
from keystoneauth1 import exceptions as ks_exceptions
from oslo_config import cfg

from nova_lite import concurrency, exception
from nova_lite.conf import glance as glance_conf
from nova_lite.conf import service_auth
from nova_lite.context import RequestContext
from nova_lite.identity import sessions
from nova_lite.image.api import API

ID = "065a79fa-09f5-411d-a4b4-8c02588e4736"
DATA = bytes(range(256)) * 40
IMAGE = {
    "id": ID, "name": "x", "status": "active", "disk_format": "qcow2", "container_format": "bare", "size": len(DATA),
    "virtual_size": 1 << 30, "checksum": hashlib.md5(DATA).hexdigest(), "os_hash_algo": "sha512",
    "os_hash_value": hashlib.sha512(DATA).hexdigest(), "min_disk": 1, "min_ram": 2, "owner": "p", "protected": True,
    "visibility": "public", "os_hidden": False, "tags": ["t"], "created_at": "2026-11-20T20:00:00Z",
    "updated_at": "2026-11-20T22:00:00+01:00", "self": "/v2/images/x", "file": "/v2/images/x/file", "schema": "/s",
    "hw_disk_bus": "virtio", "owner_specified.openstack.md5": "", "stores": "a", "direct_url": "file:///etc/passwd",
}  # fmt: skip
USER = RequestContext(auth_token="secret", user_id="u", project_id="p")


class Broken(io.BytesIO):
    """Bytes after which the connection breaks."""

    def read(self, size=-1):
        data = super().read(size)
        if not data:
            raise OSError("connection reset")
        return data


def answer(status=200, body=b"", **headers):
    response = requests.Response()
    response.status_code = status
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    if isinstance(body, (dict, list)):
        body = json.dumps(body).encode()
    response.raw = body if hasattr(body, "read") else io.BytesIO(body)
    return response


class Glance:
    """Stands where keystoneauth's adapter does; keeps what was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def get_endpoint(self):
        return "http://glance:9292/v2/"

    def delete(self, url, **options):
        return self.get(url, **options)

    def get(self, url, **options):
        assert options.pop("redirect") is False and options.pop("raise_exc") is False
        self.asked.append((url, options))
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture
def api(monkeypatch):
    """An API whose Glance gives these answers, one after the other."""
    conf = cfg.ConfigOpts()
    conf([])
    glance_conf.register(conf)
    service_auth.register(conf)
    conf.set_override("num_retries", 2, "glance")
    conf.set_override("image_size_max", 1 << 20, "glance")
    pauses = []
    monkeypatch.setattr(concurrency, "sleep", pauses.append)

    def make(*answers):
        made = API(conf)
        made.glance = Glance(*answers)
        made.pauses = pauses
        monkeypatch.setattr(sessions, "client", lambda *args, **kwargs: made.glance)
        return made

    return make


def test_an_image_comes_with_its_properties_apart(api):
    image = api(answer(200, IMAGE)).get(None, ID)
    assert image.properties == {"hw_disk_bus": "virtio", "owner_specified.openstack.md5": ""}
    assert (image.id, image.disk_format, image.size, image.min_disk, image.min_ram) == (ID, "qcow2", len(DATA), 1, 2)
    assert image.created_at == datetime.datetime(2026, 11, 20, 20) and image.protected and image.owner == "p"
    assert image.updated_at == datetime.datetime(2026, 11, 20, 21)


def test_the_url_is_the_endpoint_without_its_version(api):
    made = api(answer(200, IMAGE))
    made.get(None, ID)
    assert made.glance.asked[0][0] == f"http://glance:9292/v2/images/{ID}"


@pytest.mark.parametrize("ident", ["", "..", "a/b", "x?y", "x#y", "a" * 65, "%2e", "é", "x\n"])
def test_an_id_that_could_change_the_url_is_not_sent(api, ident):
    made = api()
    with pytest.raises(exception.ImageNotFound):
        made.get(None, ident)
    assert made.glance.asked == []


@pytest.mark.parametrize(
    ("status", "ctxt", "error"),
    [
        (404, None, exception.ImageNotFound),
        (403, None, exception.Forbidden),
        (401, USER, exception.Unauthorized),
        (400, None, exception.Invalid),
        (302, None, exception.ImageUnacceptable),
        (301, None, exception.ImageUnacceptable),
        (204, None, exception.ImageUnacceptable),
    ],
)
def test_answers_that_will_not_change_are_errors_at_once(api, status, ctxt, error):
    made = api(answer(status, Location="http://169.254.169.254/"))
    with pytest.raises(error):
        made.get(ctxt, ID)
    assert len(made.glance.asked) == 1


@pytest.mark.parametrize(
    "bad",
    [
        answer(503), answer(500), answer(429), answer(401), answer(200, b"<html>"), answer(200, {"id": ID}),
        answer(200, {**IMAGE, "size": "big"}), answer(200, []), ks_exceptions.ConnectFailure(),
        ks_exceptions.Unauthorized(), ks_exceptions.EndpointNotFound(), ks_exceptions.SSLError(),
    ],
)  # fmt: skip
def test_trouble_is_unavailable_after_enough_tries(api, bad):
    made = api(bad, bad, bad)
    with pytest.raises(exception.Unavailable) as caught:
        made.get(None, ID)
    assert "secret" not in caught.value.message


def test_trouble_that_passes_is_not_seen(api):
    made = api(answer(503), ks_exceptions.ConnectFailure(), answer(200, IMAGE))
    assert made.get(None, ID).id == ID
    assert made.pauses == [0.5, 1.0]


def test_a_list_is_read_page_by_page(api, monkeypatch):
    monkeypatch.setattr("nova_lite.image.api.PAGE", 2)
    rows = [{**IMAGE, "id": f"i{number}"} for number in range(3)]
    made = api(answer(200, {"images": rows[:2]}), answer(200, {"images": rows[2:]}))
    assert [image.id for image in made.list(None, visibility="public")] == ["i0", "i1", "i2"]
    assert made.glance.asked[1][1]["params"] == {"visibility": "public", "limit": "2", "marker": "i1"}


def test_a_list_that_repeats_itself_ends(api, monkeypatch):
    monkeypatch.setattr("nova_lite.image.api.PAGE", 1)
    page = {"images": [IMAGE]}
    assert len(api(answer(200, page), answer(200, page)).list(None)) == 2


def fetch(made, ctxt=None):
    target = io.BytesIO()
    made.download(ctxt, ID, target)
    return target.getvalue()


def test_a_download_is_proven_by_its_hash(api):
    made = api(answer(200, IMAGE), answer(200, DATA))
    assert fetch(made) == DATA
    headers = made.glance.asked[1][1]["headers"]
    assert headers["Accept-Encoding"] == "identity" and "Range" not in headers


def test_a_broken_download_is_resumed(api):
    rest = answer(206, DATA[1000:], Content_Range=f"bytes 1000-{len(DATA) - 1}/{len(DATA)}")
    made = api(answer(200, IMAGE), answer(200, Broken(DATA[:1000])), answer(503), rest)
    assert fetch(made) == DATA
    assert made.glance.asked[3][1]["headers"]["Range"] == "bytes=1000-"


def test_a_service_that_cannot_resume_starts_again(api):
    made = api(answer(200, IMAGE), answer(200, Broken(DATA[:1000])), answer(200, DATA))
    assert fetch(made) == DATA


def test_a_silent_end_without_a_length_is_resumed(api):
    rest = answer(206, DATA[700:], Content_Range=f"bytes 700-{len(DATA) - 1}/{len(DATA)}")
    assert fetch(api(answer(200, IMAGE), answer(200, DATA[:700]), rest)) == DATA


def test_another_range_than_asked_for_starts_again(api):
    odd = answer(206, DATA[5:], Content_Range="bytes 5-9/10")
    assert fetch(api(answer(200, IMAGE), answer(200, Broken(DATA[:1000])), odd, answer(200, DATA))) == DATA


@pytest.mark.parametrize(
    ("image", "data", "reason"),
    [
        ({}, DATA + b"x", "more than"),
        ({"size": None}, b"x" * ((1 << 20) + 1), "more than"),
        ({"size": 1 << 21}, b"", "more than"),
        ({}, DATA[:-1] + b"\0", "sha512"),
        ({"os_hash_algo": None}, DATA[:-1] + b"\0", "md5"),
        ({"os_hash_algo": "md4"}, DATA[:-1] + b"\0", "md5"),
        ({"status": "queued"}, b"", "queued"),
        ({"status": "deactivated"}, b"", "deactivated"),
    ],
)
def test_bytes_that_are_not_the_promised_ones_are_refused(api, tmp_path, image, data, reason):
    made = api(answer(200, {**IMAGE, **image}), answer(200, data))
    with pytest.raises(exception.ImageUnacceptable, match=reason):
        made.download(None, ID, tmp_path / "image")
    assert list(tmp_path.iterdir()) == []


def test_fewer_bytes_than_promised_are_refused(api):
    made = api(answer(200, IMAGE), answer(200, DATA[:10], Content_Length="10"))
    with pytest.raises(exception.ImageUnacceptable, match="10 bytes instead of"):
        fetch(made)


def test_a_download_into_a_path_is_private(api, tmp_path):
    path = tmp_path / "image"
    api(answer(200, IMAGE), answer(200, DATA)).download(None, ID, str(path))
    assert path.read_bytes() == DATA and path.stat().st_mode & 0o777 == 0o600


def test_a_download_does_not_follow_a_link(api, tmp_path):
    victim, link = tmp_path / "victim", tmp_path / "image"
    victim.write_text("kept")
    link.symlink_to(victim)
    with pytest.raises(OSError):
        api(answer(200, IMAGE), answer(200, DATA)).download(None, ID, link)
    assert victim.read_text() == "kept"


def test_a_redirected_download_is_refused(api):
    made = api(answer(200, IMAGE), answer(307, Location="http://169.254.169.254/latest"))
    with pytest.raises(exception.ImageUnacceptable, match="redirect"):
        fetch(made)


def test_a_download_that_keeps_breaking_is_unavailable(api, tmp_path):
    made = api(answer(200, IMAGE), *(answer(200, Broken(b"")) for _ in range(3)))
    with pytest.raises(exception.Unavailable):
        made.download(None, ID, tmp_path / "image")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", ["deleted", "pending_delete"])
def test_an_image_whose_deletion_broke_off_in_glance_is_gone(api, status):
    assert api(answer(400), answer(200, {**IMAGE, "status": status})).delete(None, ID)


def test_a_deletion_that_glance_refuses_is_refused(api):
    with pytest.raises(exception.Invalid):
        api(answer(400), answer(200, IMAGE)).delete(None, ID)
