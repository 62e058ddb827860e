"""Links: absolute URLs of this answer (contract states.md, section 5).

``self`` is ``<endpoint>/v2.1[/<project>]/<collection>/<id>``, ``bookmark`` the same without the version. The project is
in a link only if it was in the request's URL.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

Link = dict[str, str]


def host_url(environ: dict[str, Any]) -> str:
    """Scheme, host and port the client used, or the prefix the site configured; without a last slash."""
    prefix = environ.get("nova_lite.link_prefix")
    if prefix:
        return str(prefix)
    scheme = environ["wsgi.url_scheme"]
    host = environ.get("HTTP_HOST")
    if not host:
        host, port = environ["SERVER_NAME"], str(environ["SERVER_PORT"])
        if (scheme, port) not in (("http", "80"), ("https", "443")):
            host = f"{host}:{port}"
    return f"{scheme}://{host}"


def _quoted(text: str) -> str:
    """``text`` as one path segment; ids are plain nearly always, and a list has thousands."""
    return text if text.isascii() and text.replace("-", "").isalnum() else quote(text, safe="")


class Links:
    """Makes links of one request."""

    __slots__ = ("_bookmark", "_environ", "_self")

    def __init__(self, environ: dict[str, Any], path_project: str | None) -> None:
        base = host_url(environ)
        # A mount point below which the whole cloud lives (uwsgi --mount /compute) stays in every link.
        mount = environ.get("nova_lite.mount", "")
        version = environ.get("nova_lite.version_path", "")
        project = f"/{quote(path_project)}" if path_project else ""
        self._environ = environ
        self._self = f"{base}{mount}{version}{project}"
        self._bookmark = f"{base}{mount}{project}"

    def to(self, collection: str, identifier: str) -> str:
        """The ``self`` URL of one item."""
        return f"{self._self}/{collection}/{_quoted(identifier)}"

    def bookmark(self, collection: str, identifier: str) -> Link:
        return {"rel": "bookmark", "href": f"{self._bookmark}/{collection}/{_quoted(identifier)}"}

    def pair(self, collection: str, identifier: str) -> list[Link]:
        """The two links every item has."""
        return [
            {"rel": "self", "href": self.to(collection, identifier)},
            self.bookmark(collection, identifier),
        ]

    def next(self, path: str, query: dict[str, list[str]], marker: str) -> list[Link]:
        """The link to the page after ``marker``: keys sorted, a marker that the request did not have comes last."""
        pairs = [(key, value) for key in sorted(query) if key != "marker" for value in query[key]]
        if "marker" in query:
            pairs = sorted([*pairs, ("marker", marker)], key=lambda pair: pair[0])
        else:
            pairs.append(("marker", marker))
        return [{"rel": "next", "href": f"{self._self}/{path}?{urlencode(pairs)}"}]
