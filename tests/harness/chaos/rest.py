"""A plain HTTP client of the cloud that remembers what it was answered: promises, and what no answer may be."""

from __future__ import annotations

import collections
import http.client
import json
import threading
import urllib.parse
import uuid
from dataclasses import dataclass, field
from typing import Any

TIMEOUT_S = 20.0
VERSION = "compute 2.90"
LOST = (OSError, http.client.HTTPException, ValueError)


@dataclass(frozen=True)
class Answer:
    """``status`` 0: the connection was lost, nobody knows what happened."""

    status: int
    body: Any = None
    request_id: str = ""

    @property
    def is_lost(self) -> bool:
        return self.status == 0


@dataclass(frozen=True)
class Promise:
    """A request that was accepted."""

    request_id: str
    server: str
    action: str


@dataclass
class Ledger:
    """What all clients together were told. ``wrong`` are answers that nobody may ever get (I10)."""

    promises: list[Promise] = field(default_factory=list)
    statuses: collections.Counter[int] = field(default_factory=collections.Counter)
    wrong: list[str] = field(default_factory=list)
    five_hundreds: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, answer: Answer) -> None:
        with self.lock:
            self.statuses[answer.status] += 1
            if answer.status >= 500 and answer.status != 503:
                self.five_hundreds.append(answer.request_id)
                self.wrong.append(f"I10: {what} was answered {answer.status} {answer.body} ({answer.request_id})")
            elif answer.status and not answer.request_id:
                self.wrong.append(f"I10: {what} was answered {answer.status} without a request id")

    def promise(self, answer: Answer, server: str, action: str) -> None:
        with self.lock:
            self.promises.append(Promise(answer.request_id, server, action))


class Rest:
    """One user's requests to one service; its token is renewed when it is refused."""

    def __init__(self, identity: str, user: str, password: str, ledger: Ledger | None = None) -> None:
        self._identity = identity
        self._login = (user, password)
        self.ledger = ledger or Ledger()
        self._token = ""
        self.project = ""

    def ask(
        self, base: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> Answer:  # fmt: skip
        """One request; lost connections are an answer, too."""
        try:
            if not self._token:
                self._log_in()
            answer = self._send(base, method, path, body, headers or {}, timeout_s)
            if answer.status == 401:
                self._token = ""
        except LOST:
            answer = Answer(0)
        self.ledger.note(f"{method} {path}", answer)
        return answer

    def must(self, base: str, method: str, path: str, body: Any = None) -> Any:
        """The body of an answer that has to be good."""
        answer = self.ask(base, method, path, body)
        if not 200 <= answer.status < 300:
            raise RuntimeError(f"{method} {base}{path}: {answer.status} {answer.body}")
        return answer.body

    def _send(
        self, base: str, method: str, path: str, body: Any, headers: dict[str, str], timeout_s: float
    ) -> Answer:
        url = urllib.parse.urlsplit(base)
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=timeout_s)
        sent = {
            "X-Auth-Token": self._token, "OpenStack-API-Version": f"{VERSION},volume 3.70",
            "X-OpenStack-Request-ID": f"req-{uuid.uuid4()}", **headers,
        }  # fmt: skip
        data = None
        if isinstance(body, bytes):
            data, sent["Content-Type"] = body, "application/octet-stream"
        elif body is not None:
            data, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        try:
            connection.request(method, url.path + path, data, sent)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        return Answer(answer.status, _parsed(text), answer.headers.get("x-openstack-request-id", ""))

    def _log_in(self) -> None:
        user, password = self._login
        who = {"user": {"name": user, "domain": {"id": "default"}, "password": password}}
        scope = {"project": {"name": user, "domain": {"id": "default"}}}
        body = {"auth": {"identity": {"methods": ["password"], "password": who}, "scope": scope}}
        url = urllib.parse.urlsplit(self._identity)
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=TIMEOUT_S)
        try:
            connection.request(
                "POST", f"{url.path}/auth/tokens", json.dumps(body), {"Content-Type": "application/json"}
            )
            answer = connection.getresponse()
            facts = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 201:
            raise OSError(f"no token: {answer.status} {facts}")
        self._token = answer.headers["X-Subject-Token"]
        self.project = facts["token"]["project"]["id"]


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text[:200].decode("utf-8", "replace")
