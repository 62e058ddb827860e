"""Makes the request context of what keystonemiddleware proved."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import orjson

from nova_lite.api.openstack import faults
from nova_lite.context import RequestContext

LOG = logging.getLogger(__name__)

App = Callable[[dict[str, Any], Callable[..., Any]], Any]


class KeystoneContext:
    """Sets ``nova_lite.context``; 401 without a proven user."""

    def __init__(self, app: App) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if environ.get("HTTP_X_IDENTITY_STATUS") != "Confirmed" or not environ.get("HTTP_X_USER_ID"):
            LOG.debug("neither a confirmed token nor a user id in the request")
            status, headers, data = faults.fault(
                401, "unauthorized", "The request you have made requires authentication."
            )
            start_response(status, headers)
            return [data]
        environ["nova_lite.context"] = context_of(environ)
        return self._app(environ, start_response)


def context_of(environ: dict[str, Any]) -> RequestContext:
    """The context of a request that auth_token has proven. ``is_admin`` is the role admin, as Nova's own rule says."""
    roles = [role.strip() for role in environ.get("HTTP_X_ROLES", "").split(",") if role.strip()]
    get = environ.get
    return RequestContext(
        auth_token=get("HTTP_X_AUTH_TOKEN"),
        user_id=get("HTTP_X_USER_ID"),
        project_id=get("HTTP_X_PROJECT_ID"),
        user_name=get("HTTP_X_USER_NAME"),
        project_name=get("HTTP_X_PROJECT_NAME"),
        user_domain_id=get("HTTP_X_USER_DOMAIN_ID"),
        project_domain_id=get("HTTP_X_PROJECT_DOMAIN_ID"),
        system_scope=get("HTTP_OPENSTACK_SYSTEM_SCOPE"),
        roles=roles,
        is_admin="admin" in roles,
        request_id=get("openstack.request_id"),
        global_request_id=get("openstack.global_request_id"),
        service_token=get("HTTP_X_SERVICE_TOKEN"),
        service_user_id=get("HTTP_X_SERVICE_USER_ID"),
        service_roles=[role.strip() for role in get("HTTP_X_SERVICE_ROLES", "").split(",") if role.strip()],
        service_catalog=_catalog(get("HTTP_X_SERVICE_CATALOG")),
    )


def _catalog(text: str | None) -> list[dict[str, Any]]:
    if not text:
        return []
    try:
        value = orjson.loads(text)
    except ValueError:
        return []
    return value if isinstance(value, list) else []


def filter_factory(global_conf: dict[str, str], **local_conf: str) -> Callable[[App], App]:
    return KeystoneContext
