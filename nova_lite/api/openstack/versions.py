"""Version discovery: what this endpoint serves, told to everyone without a token (contract states.md, section 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nova_lite import exception
from nova_lite.api.openstack import faults, links, microversions
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import ANY_QUERY, validated

_DOCS = {"rel": "describedby", "type": "text/html", "href": "http://docs.openstack.org/"}


def _version(identifier: str, status: str, updated: str, media: str, newest: str, oldest: str) -> dict[str, Any]:
    return {
        "id": identifier,
        "status": status,
        "version": newest,
        "min_version": oldest,
        "updated": updated,
        "media-types": [
            {"base": "application/json", "type": f"application/vnd.openstack.compute+json;version={media}"}
        ],
    }


# Path below the root: what is there. The times are those of Nova's own releases, which clients may compare.
VERSIONS: dict[str, dict[str, Any]] = {
    "v2": _version("v2.0", "DEPRECATED", "2025-07-04T12:00:00Z", "2", "", ""),
    "v2.1": _version("v2.1", "CURRENT", "2013-07-23T11:33:21Z", "2.1", str(microversions.MAX), str(microversions.MIN)),
}


def _href(environ: dict[str, Any], path: str, rest: str = "") -> str:
    return f"{links.host_url(environ)}{environ.get('nova_lite.mount', '')}/{path}/{rest.strip('/')}"


def listed(environ: dict[str, Any]) -> dict[str, Any]:
    """Every version in short."""
    found = []
    for path, version in VERSIONS.items():
        short = {key: value for key, value in version.items() if key != "media-types"}
        found.append({**short, "links": [{"rel": "self", "href": _href(environ, path)}]})
    return {"versions": found}


def described(environ: dict[str, Any], path: str) -> dict[str, Any]:
    """One version in full."""
    return {"version": {**VERSIONS[path], "links": [{"rel": "self", "href": _href(environ, path)}, dict(_DOCS)]}}


def choices(environ: dict[str, Any]) -> dict[str, Any]:
    """Where the asked path may be meant, for a path outside every version."""
    asked = environ.get("PATH_INFO", "")
    return {
        "choices": [
            {
                "id": version["id"],
                "status": version["status"],
                "links": [{"rel": "self", "href": _href(environ, path, asked)}],
                "media-types": version["media-types"],
            }
            for path, version in VERSIONS.items()
        ]
    }


def _respond(
    environ: dict[str, Any], start_response: Callable[..., Any], status: int, value: dict[str, Any]
) -> list[bytes]:
    data = faults.dumps(value)
    headers = [("Content-Type", faults.JSON), ("Content-Length", str(len(data)))]
    start_response(faults.status_line(status), headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [data]


class RootVersions:
    """``/`` lists the versions; every other path outside them is 300."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        if environ.get("PATH_INFO", "") in ("", "/"):
            return _respond(environ, start_response, 200, listed(environ))
        return _respond(environ, start_response, 300, choices(environ))

    @classmethod
    def factory(cls, global_conf: dict[str, str], **local_conf: str) -> RootVersions:
        return cls()


class OneVersion:
    """``/v2`` and ``/v2.1`` describe themselves."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        path = environ.get("nova_lite.version_path", "/v2.1").strip("/")
        return _respond(environ, start_response, 200, described(environ, path))

    @classmethod
    def factory(cls, global_conf: dict[str, str], **local_conf: str) -> OneVersion:
        return cls()


class ApiVersionsController:
    """The same inside the API: ``/v2.1/{project}/`` and ``/versions/{id}``, with a token."""

    @validated(query=ANY_QUERY)
    def own(self, req: Request) -> dict[str, Any]:
        return described(req.environ, "v2.1")

    @validated(query=ANY_QUERY)
    def index(self, req: Request) -> dict[str, Any]:
        return listed(req.environ)

    @validated(query=ANY_QUERY)
    def show(self, req: Request, id: str) -> dict[str, Any]:
        """
        :raises NotFound: no such version
        """
        for path, version in VERSIONS.items():
            if version["id"] == id:
                return described(req.environ, path)
        raise exception.NotFound
