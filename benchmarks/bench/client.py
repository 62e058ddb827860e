"""A small keep-alive client of one OpenStack endpoint. It speaks to this machine only."""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 60.0


class NotLoopback(ValueError):
    """The target is another machine: load is a thing to do to oneself."""


@dataclass(frozen=True)
class Target:
    """An endpoint such as ``http://127.0.0.1:8774/v2.1`` and a token for it.

    :raises NotLoopback: the host is, or resolves to, an address of another machine.
    """

    endpoint: str
    token: str
    microversion: str = "2.96"

    def __post_init__(self) -> None:
        parts = urlsplit(self.endpoint)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"the endpoint must be http://host:port/path, not {self.endpoint!r}")
        for *_, address in socket.getaddrinfo(parts.hostname, self.port, type=socket.SOCK_STREAM):
            if not ipaddress.ip_address(address[0]).is_loopback:
                raise NotLoopback(f"{parts.hostname} is {address[0]}: only loopback addresses are loaded")

    @property
    def host(self) -> str:
        return urlsplit(self.endpoint).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.endpoint).port or 80

    @property
    def prefix(self) -> str:
        return urlsplit(self.endpoint).path.rstrip("/")

    def headers(self) -> dict[str, str]:
        return {
            "X-Auth-Token": self.token,
            "OpenStack-API-Version": f"compute {self.microversion}",
            "Accept": "application/json",
        }


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    data: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.data) if self.data else None


class Connection:
    """One keep-alive connection; opened anew when the server closed it."""

    def __init__(self, target: Target, timeout_s: float = TIMEOUT_S) -> None:
        self._target = target
        self._http = http.client.HTTPConnection(target.host, target.port, timeout=timeout_s)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send one request below the endpoint's path. :raises OSError: nobody answers."""
        data = json.dumps(body).encode() if body is not None else None
        all_headers = {**self._target.headers(), **headers}
        if data is not None:
            all_headers["Content-Type"] = "application/json"
        try:
            return self._send(method, self._target.prefix + path, data, all_headers)
        except (http.client.RemoteDisconnected, http.client.CannotSendRequest, ConnectionResetError, BrokenPipeError):
            self._http.close()
            if method == "POST":
                raise  # it may have been done: asking again could do it twice
            return self._send(method, self._target.prefix + path, data, all_headers)

    def expect(self, status: int, method: str, path: str, body: Any = None) -> Answer:
        """:raises RuntimeError: another status; its body is told."""
        answer = self.call(method, path, body)
        if answer.status != status:
            raise RuntimeError(f"{method} {path}: {answer.status} in place of {status}: {answer.data[:500]!r}")
        return answer

    def close(self) -> None:
        self._http.close()

    def _send(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> Answer:
        self._http.request(method, path, body=data, headers=headers)
        response = self._http.getresponse()
        content = response.read()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, content)
