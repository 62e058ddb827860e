"""One request to the volume service: its microversion, its caller, its body; and the routes that make it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import webob

from nova_lite import exception
from nova_lite.embedded import bodies
from nova_lite.embedded.volume import fields, rules
from nova_lite.embedded.volume.rules import Caller
from nova_lite.embedded.wsgi import Route

Version = tuple[int, int]
MIN: Version = (3, 0)
MAX: Version = (3, 70)
ATTACHMENTS: Version = (3, 27)
ATTACH_COMPLETE: Version = (3, 44)
ATTACH_MODE: Version = (3, 54)
EXTEND_IN_USE: Version = (3, 42)
BODY_LIMIT = 1 << 20

_HEADER = "OpenStack-API-Version"
_VERSION = re.compile(r"volume (\d{1,4})\.(\d{1,4})")
# Project ids are hexadecimal, so that no resource's name can be taken for one.
_PROJECT = "/v3/{project_id:[0-9a-fA-F-]+}"


@dataclass(frozen=True)
class Asked:
    """``path`` is what stands before the resource, for links."""

    http: webob.Request
    caller: Caller
    version: Version
    path: str

    def body(self, key: str) -> dict[str, Any]:
        """:raises Invalid: no JSON object below that key."""
        return fields.body(self.json(), key)

    def json(self) -> Any:
        return bodies.read_json(self.http, BODY_LIMIT)

    def wants(self, since: Version) -> bool:
        return self.version >= since


Handler = Callable[..., webob.Response]


def routes(method: str, path: str, handler: Handler, since: Version = MIN) -> list[Route]:
    """The route with the project in the path, as clients send it, and without, which Cinder allows from 3.67."""

    def handle(req: webob.Request, project_id: str | None = None, **arguments: str) -> webob.Response:
        version = asked_version(req)
        asked = Asked(req, rules.caller(req, project_id), version, f"/v3/{project_id}" if project_id else "/v3")
        if version < since:
            raise exception.NotFound("The resource could not be found.")
        response = handler(asked, **arguments)
        response.headers[_HEADER] = "volume {}.{}".format(*version)
        return response

    return [Route(method, _PROJECT + path, handle), Route(method, "/v3" + path, handle)]


def asked_version(req: webob.Request) -> Version:
    """The microversion of the request; the lowest when it names none.

    :raises NotAcceptable: outside our range. :raises Invalid: no N.N.
    """
    for part in req.headers.get(_HEADER, "").split(","):
        service, _, number = part.strip().partition(" ")
        if service.lower() not in ("volume", "block-storage"):
            continue
        if number.strip() == "latest":
            return MAX
        match = _VERSION.fullmatch(f"volume {number.strip()}")
        if match is None:
            raise exception.Invalid(
                f"API Version String {number:.32} is of invalid format. Must be of format MajorNum.MinorNum."
            )
        version = int(match[1]), int(match[2])
        if not MIN <= version <= MAX:
            raise exception.NotAcceptable(
                "Version {}.{} is not supported by the API. Minimum is {}.{} and maximum is {}.{}.".format(
                    *version, *MIN, *MAX
                )
            )
        return version
    return MIN
