"""keystonemiddleware's token check, without building its answer anew for a token it has just proven.

Whether a token is known, since when and until when is asked of keystonemiddleware's own token cache and clock every
time; what is kept here is only what it makes of one cached answer of Keystone: the headers, by the answer's very bytes.
Everything else (an unknown or expired token, service tokens, bound tokens, application credentials) goes its own way.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from keystoneauth1 import access
from keystonemiddleware import auth_token
from keystonemiddleware.auth_token import _request, _user_plugin
from oslo_utils import timeutils

from nova_lite import clock
from nova_lite.identity import pace

pace.keep()  # before the first adapter is made

_TOKEN, _SERVICE_TOKEN = "HTTP_X_AUTH_TOKEN", "HTTP_X_SERVICE_TOKEN"
_INFO, _AUTH = "keystone.token_info", "keystone.token_auth"

# Modes in which a token without a bind is not looked at any further.
_UNBOUND = ("disabled", "permissive", "strict")


def _identity_names() -> frozenset[str]:
    names = _request._AuthTokenRequest.blank("/")._all_auth_headers()
    return frozenset(f"HTTP_{name.upper().replace('-', '_')}" for name in names)


# What a client may not say itself.
_NAMES = _identity_names()


@dataclass(frozen=True)
class Proof:
    """What keystonemiddleware makes of one answer of Keystone. ``expires`` is naive UTC."""

    environ: dict[str, Any]
    expires: datetime.datetime


def proof_of(answer: bytes, with_catalog: bool) -> Proof | None:
    """The proof; None for a token that must be judged together with its request."""
    data = orjson.loads(answer)
    token = data.get("token") if isinstance(data, dict) else None
    if not isinstance(token, dict) or token.get("application_credential") or token.get("bind"):
        return None
    found = access.create(body=data, auth_token="")
    expires = found.expires
    if not isinstance(found, access.AccessInfoV3) or expires is None:
        return None
    request = _request._AuthTokenRequest.blank("/")
    before = dict(request.environ)
    request.user_token_valid = True
    request.set_user_headers(found)
    if with_catalog:
        request.set_service_catalog_headers(found)
    made = {name: value for name, value in request.environ.items() if name not in before}
    return Proof(made, timeutils.normalize_time(expires))


class TokenCheck(auth_token.AuthProtocol):  # type: ignore[misc]
    """Stands where AuthProtocol stands, and answers as it does."""

    def __init__(self, app: Callable[..., Any], conf: dict[str, Any]) -> None:
        super().__init__(app, conf)
        self._proof = lru_cache(maxsize=1024)(proof_of)
        self._is_usual = self._enforce_token_bind in _UNBOUND

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        answer = self._known(environ) if self._is_usual else None
        proof = self._proof(answer, self._include_service_catalog) if answer is not None else None
        if answer is None or proof is None or proof.expires < clock.utcnow():
            return super().__call__(environ, start_response)
        for name in _NAMES & environ.keys():
            del environ[name]
        environ.update(proof.environ)
        environ[_INFO] = data = orjson.loads(answer)
        found = access.create(body=data, auth_token=environ[_TOKEN].strip())
        environ[_AUTH] = _user_plugin.UserAuthPlugin(found, None, self._session, self._auth)

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            if status.startswith("401"):
                headers = [*headers, *self._reject_auth_headers]
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        return self._app(environ, start)

    def _known(self, environ: dict[str, Any]) -> bytes | None:
        """Keystone's answer about the request's token, where the token cache has it."""
        token, cache = environ.get(_TOKEN), self._token_cache
        if not token or _SERVICE_TOKEN in environ or not cache._initialized:
            return None
        key, context = cache._get_cache_key(token.strip())
        with cache._cache_pool.reserve() as pool:
            kept = pool.get(key)
        if isinstance(kept, str):
            kept = kept.encode()
        answer = None if kept is None else cache._deserialize(kept, context)
        return answer if isinstance(answer, bytes) else None
