"""Tokens: a signed statement of who, for what and until when; nothing is stored, so restarts forget none."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any

from nova_lite.embedded.identity.directory import Scope

MAX_LENGTH = 2048
_VERSION = "nl1"
_EPOCH = datetime.datetime(1970, 1, 1)


class BadToken(ValueError):
    """Not a token that this key signed."""


@dataclass(frozen=True)
class Token:
    """Times are naive UTC; ``audit_ids`` is this token's own and, where it was rescoped, the first one's."""

    user_id: str
    methods: tuple[str, ...]
    audit_ids: tuple[str, ...]
    issued_at: datetime.datetime
    expires_at: datetime.datetime
    scope: Scope = Scope()


def new_audit_id() -> str:
    return secrets.token_urlsafe(16)


class Signer:
    """Turns tokens into text and back.

    :param key: the secret; at least 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < 32:
            raise ValueError("a token key needs at least 32 bytes")
        self._key = key

    def sign(self, token: Token) -> str:
        scope = token.scope
        fields = [
            token.user_id,
            token.methods,
            token.audit_ids,
            _micros(token.issued_at),
            _micros(token.expires_at),
            scope.project_id,
            scope.domain_id,
            scope.system,
        ]
        payload = f"{_VERSION}.{_encode(json.dumps(fields, separators=(',', ':')).encode())}"
        return f"{payload}.{_encode(self._mac(payload))}"

    def read(self, text: str) -> Token:
        """The token that the text is; whether it is still valid is the caller's question.

        :raises BadToken: we did not sign this.
        """
        if len(text) > MAX_LENGTH or not text.isascii():
            raise BadToken("too long or not ASCII")
        payload, _, signature = text.rpartition(".")
        version, _, body = payload.partition(".")
        if version != _VERSION or not hmac.compare_digest(signature, _encode(self._mac(payload))):
            raise BadToken("the signature does not fit")
        fields: list[Any] = json.loads(_decode(body))
        user_id, methods, audit_ids, issued, expires, project_id, domain_id, system = fields
        scope = Scope(project_id, domain_id, system)
        return Token(user_id, tuple(methods), tuple(audit_ids), _moment(issued), _moment(expires), scope)

    def _mac(self, payload: str) -> bytes:
        return hmac.digest(self._key, payload.encode(), hashlib.sha256)


def _micros(moment: datetime.datetime) -> int:
    return (moment - _EPOCH) // datetime.timedelta(microseconds=1)


def _moment(micros: int) -> datetime.datetime:
    return _EPOCH + datetime.timedelta(microseconds=micros)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
