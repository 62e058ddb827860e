"""The volume service in this process, behind a stand-in for the token check: callers by name."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import webob
from oslo_config import cfg

from nova_lite import exception
from nova_lite.embedded.volume.wsgi import make_app
from nova_lite.objects import ImageMeta

PROJECTS = {"demo": "d" * 32, "other": "0" * 32, "admin": "a" * 32, "reader": "d" * 32}
ROLES = {"admin": "admin,member,reader", "reader": "reader"}
IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"


class Images:
    """One raw image of a few bytes, and one that is not what it says."""

    data = {IMAGE: b"a boot sector", "1" * 8 + IMAGE[8:]: b"no qcow2 at all"}

    def get(self, ctxt: Any, image_id: str) -> ImageMeta:
        if image_id not in self.data:
            raise exception.ImageNotFound(image_id=image_id)
        fmt = "raw" if image_id == IMAGE else "qcow2"
        return ImageMeta(id=image_id, name="boot", disk_format=fmt, size=13, properties={"hw_disk_bus": "scsi"})

    def download(self, ctxt: Any, image_id: str, target: str) -> ImageMeta:
        Path(target).write_bytes(self.data[image_id])
        return self.get(ctxt, image_id)


class Volumes:
    """Requests to the application; ``restart`` is a new process on the same files."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self.conf = conf
        self.directory = Path(conf.embedded.directory) / "volumes"
        self.restart()

    def restart(self) -> None:
        self.app = make_app(self.conf, images=Images())

    def call(
        self, method: str, path: str, body: Any = None, *, user: str | None = "demo", version: str = "3.70",
        project: str | None = None, vouched: bool = True,
    ) -> tuple[int, Any]:  # fmt: skip
        """Status and JSON of one request; ``vouched``: with a service's token besides."""
        req = webob.Request.blank(f"/v3/{project or PROJECTS.get(user or '', 'd' * 32)}{path}", method=method)
        if user is not None:
            req.environ |= {
                "HTTP_X_IDENTITY_STATUS": "Confirmed", "keystone.token_auth": object(), "HTTP_X_USER_ID": user,
                "HTTP_X_PROJECT_ID": PROJECTS[user], "HTTP_X_ROLES": ROLES.get(user, "member,reader"),
                "HTTP_X_SERVICE_ROLES": "service" if vouched else "",
            }  # fmt: skip
        req.headers["OpenStack-API-Version"] = f"volume {version}"
        if body is not None:
            req.body = body if isinstance(body, bytes) else json.dumps(body).encode()
            req.content_type = "application/json"
        answer = req.get_response(self.app)
        return answer.status_code, answer.json if answer.body else None

    def make(self, user: str = "demo", **wanted: Any) -> str:
        """A volume that is ready; its id."""
        status, body = self.call("POST", "/volumes", {"volume": {"size": 1, **wanted}}, user=user)
        assert status == 202, body
        volume = str(body["volume"]["id"])
        self.settled(f"/volumes/{volume}", "volume", user)
        return volume

    def settled(self, path: str, key: str, user: str = "demo") -> dict[str, Any]:
        """The record, once it is no longer being made."""
        end = time.monotonic() + 10
        while (found := self.call("GET", path, user=user)[1][key])["status"] in ("creating", "downloading"):
            assert time.monotonic() < end, found
            time.sleep(0.01)
        return dict(found)

    def file(self, volume: str) -> Path:
        return self.directory / "data" / f"volume-{volume}"


@pytest.fixture
def volumes(conf: cfg.ConfigOpts) -> Volumes:
    return Volumes(conf)
