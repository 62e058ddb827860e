"""The composite at the endpoint's root: which application serves which path.

``/v2.1`` takes the path itself, with or without a last slash; ``/v2.1/+`` takes what is below it; ``/v2.1/name`` takes
that one path before it; ``/`` takes the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nova_lite.api import deploy

App = Callable[[dict[str, Any], Callable[..., Any]], Any]

_BELOW = "/+"


class URLMap:
    """Dispatches on the first segment; the matched prefix moves from PATH_INFO to SCRIPT_NAME."""

    def __init__(self, apps: dict[str, App], link_prefix: str | None = None) -> None:
        self._link_prefix = (link_prefix or "").rstrip("/")
        self._exact = {path.rstrip("/"): app for path, app in apps.items() if not path.endswith(_BELOW)}
        self._below = {path.removesuffix(_BELOW): app for path, app in apps.items() if path.endswith(_BELOW)}
        self._root: App = self._exact.pop("", _nothing)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        path = environ.get("PATH_INFO", "")
        head, slash, rest = path.lstrip("/").partition("/")
        prefix = f"/{head}"
        mount = environ.get("SCRIPT_NAME", "")
        environ["nova_lite.mount"] = mount
        environ["nova_lite.link_prefix"] = self._link_prefix
        below = rest.strip("/") != "" and self._below.get(prefix)
        # A path of several segments goes before what is below its first.
        app = self._exact.get(path) or below or self._exact.get(prefix)
        if not app:
            return self._root(environ, start_response)
        environ["nova_lite.version_path"] = prefix
        environ["SCRIPT_NAME"] = mount + prefix
        environ["PATH_INFO"] = slash + rest
        return app(environ, start_response)


def _nothing(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "0")])
    return [b""]


def urlmap_factory(loader: Any, global_conf: dict[str, str], **local_conf: str) -> URLMap:
    """Paste's composite factory: each local setting is ``path: application``."""
    apps = {path: loader.get_app(name, global_conf=global_conf) for path, name in local_conf.items()}
    return URLMap(apps, deploy.configuration().api.compute_link_prefix)
