"""Which images a list shows: filters, order, pages."""

from __future__ import annotations

import csv
import datetime
import operator
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nova_lite import exception
from nova_lite.embedded.image.records import COMMUNITY, VISIBILITIES, Image
from nova_lite.embedded.image.rules import Caller

DEFAULT_LIMIT, MAX_LIMIT = 25, 1000
SORT_KEYS = (
    "name", "status", "container_format", "disk_format", "size", "id", "created_at", "updated_at", "owner", "min_disk",
    "min_ram", "virtual_size", "visibility",
)  # fmt: skip
_LISTS = ("id", "name", "status", "container_format", "disk_format")
_TIMES = ("created_at", "updated_at")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le, "eq": operator.eq, "neq": operator.ne,
}  # fmt: skip
_PAGING = ("limit", "marker", "sort", "sort_key", "sort_dir")

Test = Callable[[Image], bool]


@dataclass(frozen=True)
class Page:
    images: list[Image]
    next: str | None


def page(images: list[Image], params: Any, caller: Caller) -> Page:
    """The images that the caller may see and asked for.

    :param params: the query as a multidict.
    :raises Invalid: a filter, order, limit or marker that makes no sense.
    """
    tests = [_visible(params, caller), *_filters(params)]
    found = [image for image in images if all(test(image) for test in tests)]
    for key, is_descending in reversed(_order(params)):
        found.sort(key=lambda image: _sortable(getattr(image, key)), reverse=is_descending)
    start, limit = _start(found, params.get("marker")), _limit(params.get("limit"))
    shown = found[start : start + limit]
    if not shown or start + limit >= len(found):
        return Page(shown, None)
    query = [(key, value) for key, value in params.items() if key != "marker"]
    return Page(shown, "/v2/images?" + urllib.parse.urlencode([*query, ("marker", shown[-1].id)]))


def _visible(params: Mapping[str, str], caller: Caller) -> Test:
    wanted = params.get("visibility")
    if wanted is not None and wanted not in (*VISIBILITIES, "all"):
        raise exception.Invalid(f"Invalid visibility value: {wanted!r:.32}")
    status = params.get("member_status", "accepted")
    if status not in ("accepted", "pending", "rejected", "all"):
        raise exception.Invalid(f"Invalid status: {status!r:.32}")

    def test(image: Image) -> bool:
        if not caller.can_see(image) or (wanted not in (None, "all") and image.visibility != wanted):
            return False
        if caller.is_member(image) and not (caller.owns(image) or caller.is_admin) and status != "all":
            return image.members[caller.project_id or ""]["status"] == status
        if image.visibility == COMMUNITY and wanted is None:
            return caller.owns(image) or caller.is_admin
        return True

    return test


def _filters(params: Any) -> list[Test]:
    tests: list[Test] = []
    if "os_hidden" not in params:
        tests.append(lambda image: not image.os_hidden)
    for key, text in params.items():
        if key not in (*_PAGING, "visibility", "member_status"):
            tests.append(_filter(key, text))
    return tests


def _filter(key: str, text: str) -> Test:
    if key in _LISTS:
        wanted = _several(key, text)
        return lambda image: getattr(image, key) in wanted
    if key in ("protected", "os_hidden"):
        flag = _flag(key, text)
        return lambda image: bool(getattr(image, key)) == flag
    if key in ("size_min", "size_max"):
        bound = _number(key, text)
        compare = operator.ge if key == "size_min" else operator.le
        return lambda image: image.size is not None and compare(image.size, bound)
    if key in _TIMES:
        return _time_filter(key, text)
    if key == "tag":
        return lambda image: text in image.tags
    if key in ("owner", "checksum", "os_hash_algo", "os_hash_value"):
        return lambda image: getattr(image, key) == text
    if key in ("min_disk", "min_ram", "size", "virtual_size"):
        number = _number(key, text)
        return lambda image: getattr(image, key) == number
    return lambda image: image.properties.get(key) == text


def _several(key: str, text: str) -> tuple[str, ...]:
    """``in:a,b,"c,d"`` is several values, anything else one."""
    if not text.startswith("in:"):
        return (text,)
    try:
        return tuple(next(csv.reader([text[3:]], strict=True)))
    except (csv.Error, StopIteration):
        raise exception.Invalid(f"Invalid filter value for {key}") from None


def _flag(key: str, text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise exception.Invalid(f"Invalid value for {key}: {text!r:.32}, must be true or false")
    return text.lower() in ("true", "1")


def _number(key: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise exception.Invalid(f"Invalid value for {key}: {text!r:.32}, must be a whole number")
    return int(text)


def _time_filter(key: str, text: str) -> Test:
    name, _, rest = text.partition(":")
    name, moment = (name, rest) if name in _COMPARE else ("eq", text)
    try:
        wanted = datetime.datetime.fromisoformat(moment)
    except ValueError:
        raise exception.Invalid(f"Invalid time for {key}: {moment!r:.64}") from None
    if wanted.tzinfo is not None:
        wanted = wanted.astimezone(datetime.UTC).replace(tzinfo=None)
    compare = _COMPARE[name]
    return lambda image: compare(datetime.datetime.fromisoformat(getattr(image, key)).replace(microsecond=0), wanted)


def _order(params: Any) -> list[tuple[str, bool]]:
    """Keys with whether they descend; the newest first where nothing was said, and always in a definite order."""
    if "sort" in params:
        if "sort_key" in params or "sort_dir" in params:
            raise exception.Invalid("Old and new sorting syntax cannot be combined")
        pairs = [(key.strip(), way) for key, _, way in (part.partition(":") for part in params["sort"].split(","))]
    else:
        keys, ways = params.getall("sort_key"), params.getall("sort_dir")
        if len(ways) > 1 and len(ways) != len(keys):
            raise exception.Invalid("Number of sort dirs does not match the number of sort keys")
        keys = keys or ["created_at"]
        ways = ways * len(keys) if len(ways) == 1 else ways or [""] * len(keys)
        pairs = list(zip(keys, ways, strict=True))
    for key, way in pairs:
        if key not in SORT_KEYS or way not in ("asc", "desc", ""):
            raise exception.Invalid(f"Unknown sort key or direction: {key!r:.32} {way!r:.32}")
    present = [key for key, _ in pairs]
    pairs += [(key, "") for key in ("created_at", "id") if key not in present]
    return [(key, way != "asc") for key, way in pairs]


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is not None, value)


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    return min(_number("limit", text), MAX_LIMIT)


def _start(found: list[Image], marker: str | None) -> int:
    """:raises Invalid: the marker is not among the images found; whether it exists for others is not said."""
    if marker is None:
        return 0
    for place, image in enumerate(found):
        if image.id == marker:
            return place + 1
    raise exception.MarkerNotFound(marker=f"{marker:.64}")
