"""The identity service in this process, and somebody who logs in to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import webob
from oslo_config import cfg

from nova_lite.embedded.identity.wsgi import make_app


class Identity:
    """Requests to the application, without a server."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self.app = make_app(conf)
        self.directory = Path(conf.embedded.directory) / "identity"
        self.passwords: dict[str, str] = json.loads((self.directory / "credentials.json").read_text())

    def request(
        self, method: str, path: str, body: Any = None, token: str | None = None, **headers: str
    ) -> webob.Response:
        req = webob.Request.blank(path, method=method)
        if body is not None:
            req.body = body if isinstance(body, bytes) else json.dumps(body).encode()
            req.content_type = "application/json"
        if token is not None:
            req.headers["X-Auth-Token"] = token
        for name, value in headers.items():
            req.headers[name.replace("_", "-")] = value
        return req.get_response(self.app)

    def get(self, path: str, token: str | None = None) -> Any:
        answer = self.request("GET", path, token=token)
        assert answer.status_int == 200, answer.text
        return answer.json

    def login(self, name: str, scope: Any = None, password: str | None = None, query: str = "") -> webob.Response:
        user = {"name": name, "domain": {"id": "default"}, "password": password or self.passwords[name]}
        auth = {"identity": {"methods": ["password"], "password": {"user": user}}}
        if scope is not None:
            auth["scope"] = scope
        return self.request("POST", f"/v3/auth/tokens{query}", {"auth": auth})

    def token(self, name: str, scope: Any = None) -> str:
        answer = self.login(name, scope)
        assert answer.status_int == 201, answer.text
        return answer.headers["X-Subject-Token"]


@pytest.fixture
def identity(conf: cfg.ConfigOpts) -> Identity:
    return Identity(conf)
