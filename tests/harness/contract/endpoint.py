"""Ways to a compute API: over HTTP, or straight into a WSGI application."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import requests
import webob

from tests.harness.contract import material

VERSION_HEADER = "OpenStack-API-Version"


@dataclass(frozen=True)
class Reply:
    """An answer. ``body`` is the parsed JSON, None where there is none; ``text`` is what came."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text) if self.text.strip() else None

    @property
    def message(self) -> str:
        """The sentence of an error body, or the text as it came."""
        try:
            body = self.body
        except ValueError:
            return self.text[:300]
        if isinstance(body, dict) and len(body) == 1:
            (inner,) = body.values()
            if isinstance(inner, dict) and "message" in inner:
                return str(inner["message"])
        return self.text[:300]


class Endpoint(Protocol):
    """A compute API under test; ``role`` is admin or member, both of the same project."""

    def call(
        self, role: str | None, method: str, path: str, body: Any = None, version: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:  # fmt: skip
        """Send one request; ``path`` begins at the server's root (``/v2.1/servers``); no role means no token."""
        ...


def _headers(version: str | None, more: Mapping[str, str] | None) -> dict[str, str]:
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    if version is not None:
        headers[VERSION_HEADER] = f"compute {version}"
    return headers | dict(more or {})


class HttpEndpoint:
    """``base_url`` without ``/v2.1``; one token a role; calls time out after ``timeout_s``."""

    def __init__(self, base_url: str, tokens: Mapping[str, str], timeout_s: float = 60) -> None:
        self._base_url = base_url.rstrip("/").removesuffix("/v2.1")
        self._tokens = tokens
        self._timeout_s = timeout_s
        self._session = requests.Session()

    def call(
        self, role: str | None, method: str, path: str, body: Any = None, version: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:  # fmt: skip
        sent = _headers(version, headers)
        if role is not None:
            sent["X-Auth-Token"] = self._tokens[role]
        answer = self._session.request(
            method, self._base_url + path, data=json.dumps(body) if body is not None else None, headers=sent,
            timeout=self._timeout_s, allow_redirects=False,
        )  # fmt: skip
        return Reply(answer.status_code, answer.headers, answer.text)


class WsgiEndpoint:
    """Calls a WSGI application in this process; ``identities`` are the headers that make a role."""

    def __init__(self, app: Any, identities: Mapping[str, Mapping[str, str]]) -> None:
        self._app = app
        self._identities = identities

    def call(
        self, role: str | None, method: str, path: str, body: Any = None, version: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:  # fmt: skip
        identity = self._identities[role] if role is not None else {}
        sent = _headers(version, {**identity, **(headers or {})})
        request = webob.Request.blank(path, method=method, headers=sent, base_url="http://127.0.0.1:8774")
        if body is not None:
            request.body = json.dumps(body).encode()
        answer = request.get_response(self._app)
        return Reply(answer.status_int, answer.headers, answer.text)


def maximum(endpoint: Endpoint) -> material.Version:
    """The highest microversion that the endpoint advertises."""
    document = endpoint.call(None, "GET", "/v2.1/").body["version"]
    return material.parse_version(document["version"])
