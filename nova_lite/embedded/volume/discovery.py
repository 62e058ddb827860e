"""Which versions there are: the one thing that is said to everybody."""

from __future__ import annotations

from typing import Any

import webob

from nova_lite.embedded.volume.requests import MAX, MIN
from nova_lite.embedded.wsgi import Route, json_response


class Discovery:
    """:param url: the service's own v3 URL."""

    def __init__(self, url: str) -> None:
        version: dict[str, Any] = {
            "id": "v3.0",
            "status": "CURRENT",
            "version": "{}.{}".format(*MAX),
            "min_version": "{}.{}".format(*MIN),
            "updated": "2023-08-31T00:00:00Z",
            "links": [{"rel": "self", "href": f"{url}/"}],
            "media-types": [{"base": "application/json", "type": "application/vnd.openstack.volume+json;version=3"}],
        }
        self._versions = {"versions": [version]}

    def routes(self) -> list[Route]:
        return [Route("GET", "/", self.root), Route("GET", "/v3", self.v3)]

    def root(self, req: webob.Request) -> webob.Response:
        return json_response(self._versions, status=300)

    def v3(self, req: webob.Request) -> webob.Response:
        return json_response(self._versions)
