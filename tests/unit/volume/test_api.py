"""The client of the volume service, against answers that a real one gives and against none."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from oslo_config import cfg

from nova_lite import exception
from nova_lite.conf import cinder, service_auth
from nova_lite.context import RequestContext
from nova_lite.identity import sessions
from nova_lite.volume import errors, meta
from nova_lite.volume.api import API
from nova_lite.volume.cinder import Cinder, Reply

VOLUME = {"id": "v", "status": "available", "size": 1, "bootable": "true", "attachments": [], "multiattach": False}


class Answers(Cinder):
    """Says what it is told, one after the other; the last for ever."""

    def __init__(self, conf: cfg.ConfigOpts, *replies: Reply) -> None:
        super().__init__(conf)
        self.replies = [*replies]
        self.asked: list[tuple[Any, ...]] = []

    def send(self, ctxt: Any, method: str, path: str, body: Any, query: Any, version: str) -> Reply:
        self.asked.append((method, path, body, dict(query or {}), version))
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


def _reply(status: int, body: Any = None) -> Reply:
    return Reply(status, json.dumps(body), body)


@pytest.fixture
def conf() -> cfg.ConfigOpts:
    made = cfg.ConfigOpts()
    made([])
    for module in (cinder, service_auth):
        module.register(made)
    made.set_override("retry_delay_s", 0.0, "cinder")
    made.set_override("block_device_allocate_retries_interval", 0.0, "cinder")
    return made


def _api(conf: cfg.ConfigOpts, *replies: Reply) -> tuple[API, Answers]:
    api = API(conf)
    api._cinder = answers = Answers(conf, *replies)
    return api, answers


def test_a_volume(conf: cfg.ConfigOpts) -> None:
    api, answers = _api(conf, _reply(200, {"volume": VOLUME}))
    assert api.get(None, "v") == meta.Volume("v", "available", 1, bootable=True)
    assert answers.asked == [("GET", "/volumes/v", None, {}, "3.44")]


@pytest.mark.parametrize("text", ["../types", "a/b", "", "x" * 65, "a?b"])
def test_an_id_cannot_change_the_path(conf: cfg.ConfigOpts, text: str) -> None:
    api, answers = _api(conf, _reply(200))
    for call in (api.get, api.get_snapshot, lambda ctxt, ident: api.attachment_update(ctxt, ident, {}, None)):
        with pytest.raises(exception.NotFound):
            call(None, text)
    api.delete(None, text)
    assert answers.asked == []


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, exception.InvalidInput), (401, exception.Unavailable), (403, exception.Forbidden),
        (404, exception.VolumeNotFound), (409, exception.InvalidInput), (413, exception.Forbidden),
        (429, exception.Unavailable), (500, exception.Unavailable), (302, exception.Unavailable),
    ],
)  # fmt: skip
def test_answers_as_errors(conf: cfg.ConfigOpts, status: int, error: type[Exception]) -> None:
    api, _ = _api(conf, _reply(status, {"x": {"message": "Said so."}}))
    with pytest.raises(error):
        api.get(None, "v")


def test_a_users_bad_token_is_the_users_affair() -> None:
    with pytest.raises(exception.Unauthorized):
        errors.raise_for(401, "", exception.NotFound, acts_as_user=True)


def test_only_what_may_be_repeated_is(conf: cfg.ConfigOpts) -> None:
    api, answers = _api(conf, _reply(503), _reply(500), _reply(200, {"volume": VOLUME}))
    assert api.get(None, "v").id == "v" and len(answers.asked) == 3
    api, answers = _api(conf, _reply(503), _reply(200, {"attachment": {}}))
    with pytest.raises(exception.Unavailable):
        api.attachment_create(None, "v", "s")
    assert len(answers.asked) == 1


@pytest.mark.parametrize("body", [None, [], {}, {"volume": {}}, {"volume": {**VOLUME, "size": "1"}}])
def test_something_else_answers(conf: cfg.ConfigOpts, body: Any) -> None:
    api, _ = _api(conf, _reply(200, body))
    with pytest.raises(exception.Unavailable):
        api.get(None, "v")


def test_waiting_is_bounded(conf: cfg.ConfigOpts) -> None:
    conf.set_override("block_device_allocate_retries", 4, "cinder")
    api, answers = _api(conf, _reply(200, {"volume": {**VOLUME, "status": "creating"}}))
    with pytest.raises(exception.VolumeNotCreated, match="And its status is creating"):
        api.wait_available(None, "v")
    assert len(answers.asked) == 5
    api, _ = _api(conf, _reply(200, {"volume": {**VOLUME, "status": "error"}}))
    with pytest.raises(exception.VolumeNotCreated, match="And its status is error"):
        api.wait_available(None, "v")


def test_a_connection(conf: cfg.ConfigOpts) -> None:
    info = {"driver_volume_type": "local", "device_path": "/x", "attachment_id": "a"}
    found = {"id": "a", "volume_id": "v", "instance": "s", "status": "attaching", "connection_info": info}
    api, answers = _api(conf, _reply(200, {"attachment": found}))
    attachment = api.attachment_update(None, "a", {"host": "h"}, "/dev/vdb")
    assert attachment.connection == {"driver_volume_type": "local", "data": {"device_path": "/x"}}
    assert answers.asked[0][2] == {"attachment": {"connector": {"host": "h", "mountpoint": "/dev/vdb"}}}
    api, answers = _api(conf, _reply(200, {"attachment": found}))
    assert api.attachment_connect(None, "v", "s", {"host": "h"}, "/dev/vdb") == attachment
    connector = {"host": "h", "mountpoint": "/dev/vdb"}
    asked = {"volume_uuid": "v", "instance_uuid": "s", "connector": connector}
    assert answers.asked[0][2] == {"attachment": asked}


def test_each_request_has_our_own_token_besides(conf: cfg.ConfigOpts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cinder lets nobody but a service give back what a server has (OSSA-2023-003)."""
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(sessions, "client", lambda *_, **wanted: asked.append(wanted))
    Cinder(conf)._client(None)
    assert asked[0]["vouches"] is True


def test_what_is_gone_is_deleted(conf: cfg.ConfigOpts) -> None:
    api, _ = _api(conf, _reply(404))
    api.delete(None, "v")
    api.attachment_delete(None, "a")
    api.delete_snapshot(None, "s")


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A service that takes requests and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        kept: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    kept.append(listener.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        for each in kept:
            each.close()


def test_a_service_that_hangs_is_given_up(conf: cfg.ConfigOpts, silent_port: int, monkeypatch: Any) -> None:
    for name, value in (("auth_url", "http://127.0.0.1:1"), ("username", "nova"), ("password", "x"), ("timeout_s", 1)):
        conf.set_override(name, value, "service_auth")
    conf.set_override("endpoint_template", f"http://127.0.0.1:{silent_port}/v3/%(project_id)s", "cinder")
    conf.set_override("http_retries", 1, "cinder")
    sessions.forget()
    begun = time.monotonic()
    ctxt = RequestContext(auth_token="t", project_id="p", overwrite=False)
    with pytest.raises(exception.Unavailable):
        API(conf).get(ctxt, "v")
    assert time.monotonic() - begun < 10
    sessions.forget()


def test_the_users_project_stands_in_the_url(conf: cfg.ConfigOpts) -> None:
    class Catalog:
        def get_endpoint(self) -> str:
            return "http://c/v3/0123456789abcdef0123456789abcdef"

    endpoint: Callable[..., str] = Cinder(conf)._endpoint
    user = RequestContext(auth_token="t", project_id="f" * 32, overwrite=False)
    assert endpoint(Catalog(), user) == "http://c/v3/" + "f" * 32
    assert endpoint(Catalog(), None) == "http://c/v3/0123456789abcdef0123456789abcdef"


def test_everything_of_every_project_is_all_pages(conf: cfg.ConfigOpts) -> None:
    def row(ident: str, status: str) -> dict[str, Any]:
        return {"id": ident, "status": status, "volume_id": "v", "instance": "s"}

    more = {"attachments_links": [{"rel": "next", "href": "http://elsewhere.invalid/"}]}
    pages = (
        _reply(200, {"attachments": [row("a", "attached"), row("b", "reserved")], **more}),
        _reply(200, {"attachments": [row("c", "attached")]}),
    )
    api, answers = _api(conf, *pages)
    assert [each.id for each in api.all_attachments(None)] == ["a", "b", "c"]
    assert [asked[3].get("marker") for asked in answers.asked] == [None, "b"]
    assert all(asked[1] == "/attachments" and asked[3]["all_tenants"] == "1" for asked in answers.asked)
    api, _ = _api(conf, _reply(200, {"volumes": [row("v", "in-use"), row("w", "available")]}))
    assert api.statuses(None) == {"v": "in-use", "w": "available"}


def test_a_service_that_gives_the_same_page_for_ever_is_left(conf: cfg.ConfigOpts) -> None:
    row = {"id": "a", "status": "attached", "volume_id": "v"}
    page = {"attachments": [row], "attachments_links": [{"rel": "next"}]}
    api, answers = _api(conf, _reply(200, page))
    assert len(api.all_attachments(None)) == len(answers.asked) == 2


@pytest.mark.parametrize("body", [None, [], {"volumes": None}, {"attachments": {}}])
def test_what_is_no_list_is_no_empty_list(conf: cfg.ConfigOpts, body: Any) -> None:
    api, _ = _api(conf, _reply(200, body))
    with pytest.raises(exception.Unavailable):
        api.all_attachments(None)
