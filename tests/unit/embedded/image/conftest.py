"""The image service in this process, behind a stand-in for the token check: callers by name."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
import webob
from oslo_config import cfg

from nova_lite.embedded.image.wsgi import make_app

ROLES = {"admin": "admin,member,reader", "reader": "reader"}
PATCH = "application/openstack-images-v2.1-json-patch"


class Images:
    """Requests to the application as the member of a project named like the caller."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self.conf = conf
        self.directory = Path(conf.embedded.directory) / "images"
        self.restart()

    def restart(self) -> None:
        self.app = make_app(self.conf)

    def request(
        self, method: str, path: str, body: Any = None, who: str | None = "demo", **headers: str
    ) -> webob.Response:
        req = webob.Request.blank(path, method=method)
        if body is not None:
            req.body = body if isinstance(body, bytes) else json.dumps(body).encode()
            req.content_type = "application/json"
        for name, value in headers.items():
            req.headers[name.replace("_", "-")] = value
        if who is not None:
            req.headers["X-Identity-Status"] = "Confirmed"
            req.headers["X-Project-Id"] = who
            req.headers["X-Roles"] = ROLES.get(who, "member,reader")
            req.environ["keystone.token_auth"] = object()
        return req.get_response(self.app)

    def create(self, who: str = "demo", **values: Any) -> dict[str, Any]:
        body = {"name": "image", "disk_format": "raw", "container_format": "bare", **values}
        answer = self.request("POST", "/v2/images", body, who)
        assert answer.status_int == 201, answer.text
        return answer.json

    def put(self, image_id: str, data: bytes, who: str = "demo", **headers: str) -> webob.Response:
        headers = {"Content_Type": "application/octet-stream", **headers}
        return self.request("PUT", f"/v2/images/{image_id}/file", data, who, **headers)

    def active(self, data: bytes = b"bytes", who: str = "demo", **values: Any) -> dict[str, Any]:
        image = self.create(who, **values)
        answer = self.put(image["id"], data, who)
        assert answer.status_int == 204, answer.text
        return self.show(image["id"], who)

    def show(self, image_id: str, who: str = "demo") -> dict[str, Any]:
        answer = self.request("GET", f"/v2/images/{image_id}", who=who)
        assert answer.status_int == 200, answer.text
        return answer.json

    def patch(self, image_id: str, operations: Any, who: str = "demo") -> webob.Response:
        return self.request("PATCH", f"/v2/images/{image_id}", operations, who, Content_Type=PATCH)

    def names(self, query: str = "", who: str = "demo") -> list[str]:
        answer = self.request("GET", f"/v2/images{query}", who=who)
        assert answer.status_int == 200, answer.text
        return [image["name"] for image in answer.json["images"]]


@pytest.fixture
def images(conf: cfg.ConfigOpts) -> Images:
    return Images(conf)


@pytest.fixture
def qcow2() -> bytes:
    """The header of an empty qcow2 of 1 GiB, as far as an inspector reads it."""
    fields = (0x514649FB, 3, 0, 0, 16, 1 << 30, 0, 1, 0x30000, 0x10000, 1, 0, 0, 0, 0, 0, 4, 104)
    header = struct.pack(">IIQIIQIIQQIIQQQQII", *fields)
    return header + b"\0" * (262144 - len(header))
