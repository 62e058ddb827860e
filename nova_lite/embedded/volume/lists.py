"""Which records a list shows: filters, order, pages."""

from __future__ import annotations

import ast
import operator
import urllib.parse
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from nova_lite import exception
from nova_lite.embedded.volume.records import Record
from nova_lite.embedded.volume.requests import Asked

MAX_LIMIT = 1000
_PAGING = ("limit", "marker", "offset", "sort", "sort_key", "sort_dir", "all_tenants", "with_count", "consumes_quota")

R = TypeVar("R", bound=Record)


def page(
    asked: Asked, found: Iterable[R], names: dict[str, Callable[[R], Any]], collection: str
) -> tuple[list[R], list[dict[str, str]] | None]:
    """The records that the caller may see and asked for, newest first, and the link to the next page.

    :param names: what may be filtered and sorted by, besides what Cinder drops in silence.
    :raises Invalid: a limit, marker or order that makes no sense.
    """
    params = asked.http.GET
    every = asked.caller.is_admin and params.get("all_tenants", "0").lower() in ("1", "true", "yes")
    project = params.get("project_id") if asked.caller.is_admin else None
    wanted = [
        record for record in found
        if every or project or record.project_id in (None, asked.caller.project_id)
    ]  # fmt: skip
    if project:
        wanted = [record for record in wanted if record.project_id == project]
    for key, text in params.items():
        if key not in _PAGING and key in names:
            wanted = [record for record in wanted if _matches(names[key](record), text)]
    for key, descending in reversed(_order(params)):
        read = names.get(key, operator.attrgetter("created_at"))
        wanted.sort(key=lambda record: (read(record) is None, str(read(record) or "")), reverse=descending)
    start = _number(params.get("offset"), "offset", 0)
    if params.get("marker"):
        start += _after(wanted, params["marker"])
    limit = min(_number(params.get("limit"), "limit", MAX_LIMIT), MAX_LIMIT)
    shown = wanted[start : start + limit]
    if not shown or start + limit >= len(wanted):
        return shown, None
    query = [(key, value) for key, value in params.items() if key not in ("marker", "offset")]
    following = urllib.parse.urlencode([*query, ("marker", shown[-1].id)])
    return shown, [{"rel": "next", "href": f"{asked.http.application_url}{asked.path}/{collection}?{following}"}]


def _matches(value: Any, text: str) -> bool:
    if isinstance(value, dict):
        return _mapping(text).items() <= value.items()
    if isinstance(value, bool):
        return str(value).lower() == text.lower()
    return str(value if value is not None else "") == text


def _mapping(text: str) -> dict[str, Any]:
    """``{'key': 'value'}`` as clients write it, a Python dictionary."""
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise exception.Invalid(f"Could not evaluate value {text:.64}, assuming string")
    return found


def _order(params: Any) -> list[tuple[str, bool]]:
    text = params.get("sort")
    if text:
        pairs = [part.partition(":") for part in text.split(",")]
        return [(key.strip(), direction.strip() != "asc") for key, _, direction in pairs]
    return [(params.get("sort_key", "created_at"), params.get("sort_dir", "desc") != "asc")]


def _number(text: str | None, name: str, default: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise exception.Invalid(f"Invalid input for query parameters {name}. Value: {text:.32}.")
    return int(text)


def _after(wanted: list[Any], marker: str) -> int:
    for index, record in enumerate(wanted):
        if record.id == marker:
            return index + 1
    raise exception.Invalid(f"marker {marker:.64} not found")
