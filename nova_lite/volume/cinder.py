"""The REST client of any Block Storage v3: bounded, repeating what may be repeated, never following a redirect."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keystoneauth1 import adapter
from keystoneauth1 import exceptions as ks_exceptions
from oslo_config import cfg
from oslo_log import log as logging

from nova_lite import concurrency, exception
from nova_lite.context import RequestContext
from nova_lite.identity import sessions
from nova_lite.volume import errors
from nova_lite.volume.errors import Missing

LOG = logging.getLogger(__name__)

# What attachments need of the service: complete is 3.44, the connection's mode 3.54.
MICROVERSION = "3.44"

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PROJECT = re.compile(r"/v3/[0-9a-fA-F-]{32,36}$")
# A POST may have been heard although nobody answered.
_REPEATABLE = ("GET", "PUT", "DELETE")


@dataclass(frozen=True)
class Reply:
    status: int
    text: str
    json: Any


def checked_id(found: str, missing: Missing) -> str:
    """The id, where it cannot change the path of a URL; else ``missing``'s error is raised."""
    if not isinstance(found, str) or not _ID.fullmatch(found):
        raise missing()
    return found


class Cinder:
    """Requests to the volume service with the options of [cinder]."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf

    def request(
        self,
        ctxt: RequestContext | None,
        method: str,
        path: str,
        missing: Missing,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        version: str = MICROVERSION,
    ) -> Any:
        """The answer's JSON, None where there is none; ``path`` is below the project. Errors as in errors.raise_for."""
        retries = self._conf.cinder.http_retries if method in _REPEATABLE else 0
        for attempt in range(retries + 1):
            try:
                reply = self.send(ctxt, method, path, body, query, version)
                acts_as_user = bool(ctxt is not None and ctxt.auth_token)
                errors.raise_for(reply.status, reply.text, missing, acts_as_user)
                return reply.json
            except exception.NoVolumeService:
                raise
            except exception.Unavailable as error:
                if attempt == retries:
                    raise
                LOG.warning("%s %s: %s (try %d of %d)", method, path, error.message, attempt + 1, retries + 1)
                concurrency.sleep(min(self._conf.cinder.retry_delay_s * 2**attempt, 30.0))
        raise AssertionError("unreachable")

    def send(
        self,
        ctxt: RequestContext | None,
        method: str,
        path: str,
        body: Any,
        query: Mapping[str, str] | None,
        version: str,
    ) -> Reply:
        """One try. :raises Unavailable: no answer, or no such service."""
        client = self._client(ctxt)
        with sessions.asking("volume service"):
            try:
                response = client.request(
                    self._endpoint(client, ctxt) + path,
                    method,
                    json=body,
                    params=dict(query or {}),
                    headers={"OpenStack-API-Version": f"volume {version}", "Accept": "application/json"},
                    raise_exc=False,
                    redirect=False,
                    connect_retries=0,
                )
            except (ks_exceptions.EndpointNotFound, ks_exceptions.EmptyCatalog):
                raise exception.NoVolumeService() from None
        return Reply(response.status_code, response.text, _json(response))

    def _client(self, ctxt: RequestContext | None) -> adapter.Adapter:
        options = self._conf.cinder
        service_type, _, interface = options.catalog_info.split(":")
        return sessions.client(
            self._conf,
            ctxt,
            service_type,
            [interface.removesuffix("URL")],
            region_name=options.os_region_name,
            vouches=True,
        )

    def _endpoint(self, client: adapter.Adapter, ctxt: RequestContext | None) -> str:
        """The URL that paths are below.

        The catalogue of our own token may have our own project in it; with a user's token it must be the user's.
        """
        options = self._conf.cinder
        user_project = ctxt.project_id if ctxt is not None and ctxt.auth_token else None
        if options.endpoint_template:
            project = user_project or client.get_project_id() or ""
            return str(options.endpoint_template).replace("%(project_id)s", project).rstrip("/")
        endpoint: str | None = client.get_endpoint()
        if not endpoint:
            raise exception.NoVolumeService()
        endpoint = endpoint.rstrip("/")
        return _PROJECT.sub(f"/v3/{user_project}", endpoint) if user_project else endpoint


def _json(response: Any) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError:
        if response.status_code < 300:
            raise exception.Unavailable("The volume service's answer is not JSON.") from None
        return None
