"""The headers that say who asks; only the authentication filter may set them, a client's own are thrown away."""

from __future__ import annotations

from typing import Any

_NAMES = (
    "IDENTITY_STATUS IS_ADMIN_PROJECT USER USER_ID USER_NAME USER_DOMAIN_ID USER_DOMAIN_NAME ROLE ROLES TENANT "
    "TENANT_ID TENANT_NAME PROJECT_ID PROJECT_NAME PROJECT_DOMAIN_ID PROJECT_DOMAIN_NAME DOMAIN_ID DOMAIN_NAME "
    "SYSTEM_SCOPE SERVICE_CATALOG SERVICE_IDENTITY_STATUS SERVICE_ROLES SERVICE_USER_ID SERVICE_USER_NAME "
    "SERVICE_PROJECT_ID SERVICE_PROJECT_NAME SERVICE_USER_DOMAIN_ID SERVICE_PROJECT_DOMAIN_ID"
)
HEADERS = frozenset(f"HTTP_X_{name}" for name in _NAMES.split())


def strip(environ: dict[str, Any]) -> None:
    """Remove every identity header of the client, whatever the spelling its server kept."""
    for name in HEADERS & environ.keys():
        del environ[name]
