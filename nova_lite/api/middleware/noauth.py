"""noauth2: the token is ``user:project`` and is believed. For tests; never on an address that others reach.

Without a token the answer is 204 with a token and the endpoint, as Nova's filter of that name gives its clients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nova_lite.api.middleware import spoofing
from nova_lite.api.openstack import links
from nova_lite.context import RequestContext

App = Callable[[dict[str, Any], Callable[..., Any]], Any]

_ADMIN_ROLES = ("admin", "manager", "member", "reader")
_USER_ROLES = ("member", "reader")


class NoAuth:
    def __init__(self, app: App) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        token = environ.get("HTTP_X_AUTH_TOKEN")
        if token is None:
            return _issue(environ, start_response)
        spoofing.strip(environ)
        user_id, _, project_id = token.partition(":")
        is_admin = user_id == "admin"
        environ["nova_lite.context"] = RequestContext(
            user_id=user_id,
            project_id=project_id or user_id,
            roles=list(_ADMIN_ROLES if is_admin else _USER_ROLES),
            is_admin=is_admin,
            request_id=environ.get("openstack.request_id"),
            global_request_id=environ.get("openstack.global_request_id"),
        )
        return self._app(environ, start_response)


def _issue(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    user = environ.get("HTTP_X_AUTH_USER", "admin")
    project = environ.get("HTTP_X_AUTH_PROJECT_ID", "admin")
    endpoint = f"{links.host_url(environ)}{environ.get('SCRIPT_NAME', '')}/{project}"
    headers = [
        ("X-Auth-Token", f"{user}:{project}"),
        ("X-Server-Management-Url", endpoint),
        ("Content-Type", "text/plain"),
        ("Content-Length", "0"),
    ]
    start_response("204 No Content", headers)
    return [b""]


def filter_factory(global_conf: dict[str, str], **local_conf: str) -> Callable[[App], App]:
    return NoAuth
