"""Which records a list shows: filters, order, pages, and which attributes of each."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable
from typing import Any

import webob

from nova_lite.embedded.network import faults
from nova_lite.embedded.network.nouns import Noun, Record

_PAGING = frozenset(("limit", "marker", "page_reverse", "sort_key", "sort_dir", "fields"))
_TAGS = ("tags", "tags-any", "not-tags", "not-tags-any")
MAX_LIMIT = 10_000

Test = Callable[[Record], bool]


def wanted_fields(params: Any) -> frozenset[str]:
    """The attributes asked for by ``fields``; empty means all."""
    return frozenset(name for name in params.getall("fields") if name)


def page(noun: Noun, records: list[Record], req: webob.Request) -> tuple[list[Record], list[dict[str, str]]]:
    """The records that match, in order, and the links to the pages around.

    :raises Refused: a query that makes no sense.
    """
    params = req.GET
    tests = [_test(name, params.getall(name)) for name in dict.fromkeys(params) if name not in _PAGING]
    found = [record for record in records if all(test(record) for test in tests)]
    for key, is_descending in reversed(_order(noun, params)):
        found.sort(key=lambda record: _sortable(record.get(key)), reverse=is_descending)
    limit = _limit(params.get("limit"))
    if limit is None:
        return found, []
    start, end = _window(found, params.get("marker"), limit, params.get("page_reverse", "").lower() == "true")
    shown = found[start:end]
    links = []
    if end < len(found) and shown:
        links.append({"rel": "next", "href": _href(noun, req, shown[-1]["id"], reverse=False)})
    if start > 0 and shown:
        links.append({"rel": "previous", "href": _href(noun, req, shown[0]["id"], reverse=True)})
    return shown, links


def _window(found: list[Record], marker: str | None, limit: int, is_reverse: bool) -> tuple[int, int]:
    places = {record["id"]: place for place, record in enumerate(found)}
    if marker is not None and marker not in places:
        raise faults.invalid(f"The marker {marker:.64} could not be found", "HTTPBadRequest")
    if is_reverse:
        end = places[marker] if marker is not None else len(found)
        return max(0, end - limit), end
    start = places[marker] + 1 if marker is not None else 0
    return start, min(len(found), start + limit)


def _href(noun: Noun, req: webob.Request, marker: str, reverse: bool) -> str:
    pairs = [(key, value) for key, value in req.GET.items() if key not in ("marker", "page_reverse")]
    pairs.append(("marker", marker))
    if reverse:
        pairs.append(("page_reverse", "True"))
    return f"{req.application_url}{noun.path}?{urllib.parse.urlencode(pairs)}"


def _test(name: str, values: list[str]) -> Test:
    if name in _TAGS:
        wanted = {tag for value in values for tag in value.split(",")}
        return _tags_test(name, wanted)
    if name == "tenant_id":
        name = "project_id"
    if name == "fixed_ips":
        return _fixed_ips_test(values)
    wanted = {value.lower() if value.lower() in ("true", "false") else value for value in values}
    return lambda record: _matches(record.get(name), wanted)


def _matches(value: Any, wanted: set[str]) -> bool:
    if isinstance(value, bool):
        return str(value).lower() in wanted
    if isinstance(value, list):
        return any(str(each) in wanted for each in value)
    return ("" if value is None else str(value)) in wanted


def _tags_test(name: str, wanted: set[str]) -> Test:
    if name == "tags":
        return lambda record: wanted <= set(record.get("tags", ()))
    if name == "tags-any":
        return lambda record: bool(wanted & set(record.get("tags", ())))
    if name == "not-tags":
        return lambda record: not wanted <= set(record.get("tags", ()))
    return lambda record: not wanted & set(record.get("tags", ()))


def _fixed_ips_test(values: list[str]) -> Test:
    """``ip_address=...``, ``subnet_id=...`` or ``ip_address_substr=...``: each kind must match one of an address's."""
    wanted: dict[str, set[str]] = {}
    for value in values:
        key, _, text = value.partition("=")
        if key not in ("ip_address", "subnet_id", "ip_address_substr"):
            raise faults.invalid(f"fixed_ips cannot be filtered by {key:.32}")
        wanted.setdefault(key, set()).add(text)
    parts = wanted.pop("ip_address_substr", set())

    def test(record: Record) -> bool:
        return any(
            all(str(fixed.get(key)) in texts for key, texts in wanted.items())
            and (not parts or any(part in fixed["ip_address"] for part in parts))
            for fixed in record["fixed_ips"]
        )

    return test


def _order(noun: Noun, params: Any) -> list[tuple[str, bool]]:
    keys, ways = params.getall("sort_key"), params.getall("sort_dir")
    if len(ways) not in (0, len(keys)):
        raise faults.invalid("The number of sort_keys and sort_dirs must be same", "HTTPBadRequest")
    known = {*noun.fields, *noun.readable, "id", "tenant_id", "created_at", "updated_at"}
    for key in keys:
        if key not in known:
            raise faults.invalid(f"'{key:.32}' is an invalid attribute for sort keys", "HTTPBadRequest")
    pairs = list(zip(keys, [way == "desc" for way in ways] or [False] * len(keys), strict=True))
    return [*pairs, ("created_at", False), ("id", False)]


def _sortable(value: Any) -> tuple[bool, str]:
    return (value is not None, str(value))


def _limit(text: str | None) -> int | None:
    if text is None or text in ("0", ""):
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise faults.invalid(f"Limit must be an integer 0 or greater and not '{text:.32}'", "HTTPBadRequest")
    return min(int(text), MAX_LIMIT)
