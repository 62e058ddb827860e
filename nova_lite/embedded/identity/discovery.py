"""Which versions there are: the one thing that is said to everybody."""

from __future__ import annotations

from typing import Any

import webob

from nova_lite.embedded.wsgi import Route, json_response


class Discovery:
    """:param url: the service's own v3 URL."""

    def __init__(self, url: str) -> None:
        self._version: dict[str, Any] = {
            "id": "v3.14",
            "status": "stable",
            "updated": "2020-04-07T00:00:00Z",
            "links": [{"rel": "self", "href": f"{url}/"}],
            "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
        }

    def routes(self) -> list[Route]:
        return [Route("GET", "/", self.versions), Route("GET", "/v3", self.v3)]

    def versions(self, req: webob.Request) -> webob.Response:
        return json_response({"versions": {"values": [self._version]}}, status=300)

    def v3(self, req: webob.Request) -> webob.Response:
        return json_response({"version": self._version})
