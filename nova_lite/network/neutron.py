"""The REST client of any Neutron: bounded, retrying what changes nothing, never following a redirect."""

from __future__ import annotations

import re
from typing import Any

from keystoneauth1 import adapter
from keystoneauth1 import exceptions as ks_exceptions
from oslo_config import cfg
from oslo_log import log as logging

from nova_lite import concurrency, exception
from nova_lite.context import RequestContext
from nova_lite.identity import sessions
from nova_lite.network import errors

LOG = logging.getLogger(__name__)

_VERSION = re.compile(r"/v2\.0/?$")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FIRST_REST_S, _LONGEST_REST_S = 0.2, 5.0

Json = dict[str, Any]


def checked_id(kind: type[exception.NovaLiteError], **fact: str) -> str:
    """The id, where it cannot change the path of a URL; else an error of this kind."""
    (ident,) = fact.values()
    if not isinstance(ident, str) or not _ID.fullmatch(ident):
        raise kind(**{name: f"{value!s:.64}" for name, value in fact.items()})
    return ident


def _if_match(revision: int | None) -> dict[str, str]:
    return {} if revision is None else {"If-Match": f"revision_number={revision}"}


class Silent(exception.Unavailable):
    """It took as long as it may: nobody waits for it twice."""


class Neutron:
    """Requests with the options of [neutron]; a context with a token acts as its user, None as nova-lite itself."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf
        self._retries = conf.neutron.http_retries

    def list(self, ctxt: RequestContext | None, plural: str, **query: Any) -> list[Json]:
        """Everything that matches; a query's value may be a list."""
        body = self.get(ctxt, plural, **query)
        rows = body.get(plural.replace("-", "_"))
        if not isinstance(rows, list):
            raise exception.Unavailable("The network service's answer is no list.")
        return rows

    def get(self, ctxt: RequestContext | None, path: str, **query: Any) -> Json:
        """:raises NovaLiteError: as :func:`errors.of`; what may pass was tried again."""
        rest_s = _FIRST_REST_S
        for attempt in range(self._retries + 1):
            try:
                return self.send(ctxt, "GET", path, params=query)
            except exception.Unavailable as error:
                if attempt == self._retries or isinstance(error, Silent):
                    raise
                LOG.warning("%s (try %d of %d)", error.message, attempt + 1, self._retries + 1)
            concurrency.sleep(rest_s)
            rest_s = min(2 * rest_s, _LONGEST_REST_S)
        raise AssertionError("unreachable")

    def post(self, ctxt: RequestContext | None, path: str, body: Json) -> Json:
        return self.send(ctxt, "POST", path, json=body)

    def put(self, ctxt: RequestContext | None, path: str, body: Json, revision: int | None = None) -> Json:
        """:raises Changed: it is of another revision (extension ``revision-if-match``)."""
        return self.send(ctxt, "PUT", path, json=body, headers=_if_match(revision))

    def delete(self, ctxt: RequestContext | None, path: str, revision: int | None = None) -> None:
        """What is gone already is no error. :raises Changed: as put."""
        try:
            self.send(ctxt, "DELETE", path, headers=_if_match(revision))
        except errors.Gone:
            return

    def send(self, ctxt: RequestContext | None, method: str, path: str, **options: Any) -> Json:
        """One try of one request below /v2.0; the answer's JSON."""
        client = self._client(ctxt)
        headers = {"Accept": "application/json", **options.pop("headers", {})}
        with sessions.asking("network service"):
            try:
                url = f"{self._endpoint(client)}/v2.0/{path}"
                response = client.request(
                    url, method, raise_exc=False, redirect=False, connect_retries=0, timeout=self._conf.neutron.timeout,
                    headers=headers, **options,
                )  # fmt: skip
            except ks_exceptions.ConnectTimeout:
                raise Silent("The network service does not answer.") from None
        return self.answer(response, acts_as_user=bool(ctxt is not None and ctxt.auth_token))

    @staticmethod
    def answer(response: Any, acts_as_user: bool) -> Json:
        """The JSON of a success. :raises NovaLiteError: it was none."""
        if response.status_code >= 300:
            raise errors.of(response, acts_as_user)
        if response.status_code == 204 or not response.content:
            return {}
        try:
            body = response.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise exception.Unavailable("The network service's answer is not JSON.")
        return body

    def _client(self, ctxt: RequestContext | None) -> adapter.Adapter:
        options = self._conf.neutron
        return sessions.client(
            self._conf,
            ctxt,
            options.service_type,
            options.valid_interfaces,
            region_name=options.region_name,
            endpoint_override=options.endpoint_override,
        )

    def _endpoint(self, client: adapter.Adapter) -> str:
        endpoint: str | None = client.get_endpoint()
        if not endpoint:
            raise exception.Unavailable("The catalogue has no network service; see [neutron] endpoint_override.")
        return _VERSION.sub("", endpoint).rstrip("/")
