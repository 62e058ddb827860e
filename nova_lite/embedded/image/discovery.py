"""Versions, schemas, and what this image service can do beyond the plain upload: nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import webob

from nova_lite.embedded.image import rules, views
from nova_lite.embedded.wsgi import Route, json_response

# 2.9 is the last version before multiple stores, which this service has not.
MINORS = (9, 7, 6, 5, 4, 3, 2, 1, 0)


class Discovery:
    """:param url: the service's own URL, without a version."""

    def __init__(self, url: str) -> None:
        self._versions = {
            "versions": [
                {
                    "id": f"v2.{minor}",
                    "status": "CURRENT" if minor == MINORS[0] else "SUPPORTED",
                    "links": [{"rel": "self", "href": f"{url}/v2/"}],
                }
                for minor in MINORS
            ]
        }

    def routes(self) -> list[Route]:
        schemas = {
            "image": views.IMAGE_SCHEMA,
            "images": views.collection_schema("images", views.IMAGE_SCHEMA),
            "member": views.MEMBER_SCHEMA,
            "members": views.collection_schema("members", views.MEMBER_SCHEMA),
        }
        methods = {"import-methods": {"description": "Import methods available.", "type": "array", "value": []}}
        return [
            Route("GET", "/", self.root),
            Route("GET", "/versions", self.versions),
            Route("GET", "/v2/info/import", _fixed(methods)),
            *(Route("GET", f"/v2/schemas/{name}", _fixed(schema)) for name, schema in schemas.items()),
        ]

    def root(self, req: webob.Request) -> webob.Response:
        return json_response(self._versions, status=300)

    def versions(self, req: webob.Request) -> webob.Response:
        return json_response(self._versions)


def _fixed(body: dict[str, Any]) -> Callable[[webob.Request], webob.Response]:
    def answer(req: webob.Request) -> webob.Response:
        rules.caller(req)
        return json_response(body)

    return answer
