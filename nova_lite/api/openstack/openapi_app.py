"""``/openapi.json``: the API's own description, told to everyone without a token.

``?version=2.NN``, or one of the version headers, chooses the microversion; without either it is the newest.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

from nova_lite import policies
from nova_lite.api import deploy
from nova_lite.api.openstack import faults, microversions, openapi
from nova_lite.api.openstack.microversions import Microversion
from nova_lite.api.openstack.resource import parse_query, version_headers
from nova_lite.api.openstack.routes import ROUTES


class OpenApi:
    """:param handlers: the controllers' methods by the name in the row."""

    def __init__(self, handlers: openapi.Handlers) -> None:
        self._handlers = handlers
        self._rules = {rule.name: rule for rule in policies.all_rules()}
        # There are as many as there are versions; packed they take a megabyte together.
        self._packed = cache(self._pack)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        try:
            status, headers, data = self._answer(environ)
        except Exception as error:  # noqa: BLE001 - every error has an answer; faults.of logs the unexpected
            status, headers, data = faults.of(error)
        start_response(status, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [data]

    def _answer(self, environ: dict[str, Any]) -> faults.Answer:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return faults.no_such_path()
        wanted = parse_query(environ.get("QUERY_STRING", "")).get("version")
        text = wanted[-1] if wanted else microversions.asked(environ)
        version = microversions.MAX if text is None else microversions.parse(text)
        microversions.check(version)
        data = zlib.decompress(self._packed(version))
        headers = [("Content-Type", faults.JSON), ("Content-Length", str(len(data))), *version_headers(version)]
        return faults.status_line(200), headers, data

    def _pack(self, version: Microversion) -> bytes:
        return zlib.compress(faults.dumps(openapi.document(version, ROUTES, self._handlers, self._rules)))


def app_factory(global_conf: dict[str, str], **local_conf: str) -> OpenApi:
    """The Paste entry."""
    from nova_lite.api.openstack.compute import application

    return OpenApi(application.handlers(deploy.configuration()))
