"""From method and path to the rows of the table: a Routes mapper of paths, a dictionary of methods each."""

from __future__ import annotations

import re
from collections.abc import Iterable

import routes as routes_package

from nova_lite.api.openstack.routes import Route

Match = tuple[list[Route], dict[str, str]]

_SLASHES = re.compile("//+")


class Router:
    """Matches requests against a table of routes, each also below ``/{project_id}``."""

    def __init__(self, table: Iterable[Route]) -> None:
        by_path: dict[str, dict[str, list[Route]]] = {}
        for route in table:
            by_path.setdefault(route.path, {}).setdefault(route.method, []).append(route)
        self._methods: list[dict[str, list[Route]]] = []
        self._mapper = routes_package.Mapper(register=False)
        self._mapper.minimization = False
        self._mapper.explicit = True
        paths = sorted(by_path, key=_static_first)
        for prefix in ("", "/{project_id}"):
            for path in paths:
                if prefix or path not in ("", "/"):
                    self._connect(prefix + path, by_path[path])
        self._mapper.create_regs([])

    def _connect(self, path: str, methods: dict[str, list[Route]]) -> None:
        self._mapper.connect(None, path, row=str(len(self._methods)))
        self._methods.append(methods)

    def match(self, method: str, path: str) -> Match | None:
        """The rows of a path and method, and what stood in the path's braces; None when there is no such call.

        Several slashes count as one, as they do for Nova.
        """
        if "//" in path:
            path = _SLASHES.sub("/", path)
        found = self._mapper.routematch(path)
        if found is None:
            return None
        params = dict(found[0])
        rows = self._methods[int(params.pop("row"))].get(method)
        return (rows, params) if rows else None


def _static_first(path: str) -> tuple[list[tuple[bool, str]], str]:
    """Sorts ``/servers/detail`` before ``/servers/{id}``."""
    return [("{" in segment, segment) for segment in path.split("/")], path
