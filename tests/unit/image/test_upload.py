"""Uploads against a Glance that breaks off, forgets to answer, and remembers what it was given."""

from __future__ import annotations

import io
import json

import pytest

from nova_lite import concurrency, exception
from nova_lite.identity import sessions
from nova_lite.image.api import API
from nova_lite.image.upload import CHUNK, Body
from tests.unit.image.test_api import ID, answer

DATA = b"0123456789" * 1000


class Store:
    """One image behind keystoneauth's adapter. ``breaks``: verbs that fail once (``after``: having done their work)."""

    def __init__(self, status="queued", breaks=(), after=False):
        self.image = {"id": ID, "status": status}
        self.breaks, self.after = list(breaks), after
        self.asked, self.data = [], b""

    def get_endpoint(self):
        return "http://glance:9292"

    def __getattr__(self, verb):
        def call(url, **options):
            assert options.pop("redirect") is False and options.pop("raise_exc") is False
            self.asked.append(verb)
            if verb in self.breaks:
                self.breaks.remove(verb)
                if self.after:
                    getattr(self, f"_{verb}")(options)
                return answer(503)
            return getattr(self, f"_{verb}")(options)

        return call

    def _get(self, options):
        return answer(200, self.image)

    def _post(self, options):
        if "name" in self.image:
            return answer(409)
        self.image |= options["json"]
        return answer(201, self.image)

    def _patch(self, options):
        for change in json.loads(options["data"]):
            self.image[change["path"][1:]] = change["value"]
        return answer(200, self.image)

    def _put(self, options):
        if self.image["status"] != "queued":
            return answer(409)
        assert self.image["disk_format"] == "qcow2" and not options["log"] and not options["allow_reauth"]
        self.data = b"".join(iter(lambda: options["data"].read(512), b""))
        assert len(options["data"]) == len(self.data)
        self.image["status"] = "active"
        return answer(204)

    def _delete(self, options):
        return answer(204)


@pytest.fixture
def api(monkeypatch):
    from oslo_config import cfg

    from nova_lite.conf import glance, service_auth

    conf = cfg.ConfigOpts()
    conf([])
    glance.register(conf)
    service_auth.register(conf)
    conf.set_override("num_retries", 2, "glance")
    monkeypatch.setattr(concurrency, "sleep", lambda seconds: None)

    def make(store):
        monkeypatch.setattr(sessions, "client", lambda *args, **kwargs: store)
        return API(conf)

    return make


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("verb", ["get", "patch", "put"])
def test_an_upload_that_breaks_off_is_said_again(api, verb, after):
    store = Store(breaks=[verb], after=after)
    image = api(store).upload(None, ID, io.BytesIO(DATA), "qcow2")
    assert image.status == "active" and store.data == DATA


def test_what_another_life_uploaded_is_left_as_it_is(api):
    store = Store("active")
    api(store).upload(None, ID, io.BytesIO(DATA), "qcow2")
    assert store.asked == ["get"] and store.data == b""


def test_an_upload_that_never_ends_is_unavailable(api):
    store = Store("saving")
    with pytest.raises(exception.Unavailable, match="still being uploaded"):
        api(store).upload(None, ID, io.BytesIO(DATA), "qcow2")
    assert store.asked == ["get"] * 3


@pytest.mark.parametrize("status", ["killed", "deleted", "pending_delete", "deactivated"])
def test_an_image_that_takes_no_data_is_said_at_once(api, status):
    store = Store(status)
    with pytest.raises(exception.ImageUnacceptable, match=status):
        api(store).upload(None, ID, io.BytesIO(DATA), "qcow2")
    assert store.asked == ["get"]


@pytest.mark.parametrize("after", [False, True])
def test_an_image_is_made_once(api, after):
    store = Store(breaks=["post"], after=after)
    made = api(store).create(None, ID, "shot", {"image_type": "backup"}, min_disk=2, min_ram=3)
    assert (made.name, made.visibility, made.min_disk, made.min_ram) == ("shot", "private", 2, 3)
    assert made.properties == {"image_type": "backup"} and store.asked == ["post", "post", "get"][: 3 if after else 2]


def test_a_removal_is_said_once_and_an_absent_image_is_none(api, monkeypatch):
    store = Store()
    assert api(store).delete(None, ID)
    monkeypatch.setattr(Store, "_delete", lambda self, options: answer(404))
    assert not api(store).delete(None, ID)


def test_the_body_is_read_in_pieces_and_knows_its_length():
    body = Body(io.BytesIO(b"x" * (CHUNK + 5)))
    assert len(body) == CHUNK + 5 and [len(piece) for piece in body] == [CHUNK, 5]
