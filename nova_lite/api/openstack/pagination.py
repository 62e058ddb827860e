"""Pages: limit, marker, sort, and the link to the next page (contract states.md, section 5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from nova_lite import exception
from nova_lite.api.openstack.request import Request
from nova_lite.conf import CONF

T = TypeVar("T")


def limit_of(req: Request) -> int:
    """The asked limit, cut down to [api] max_limit, which is also the default.

    :raises Invalid: not a number, or negative.
    """
    most = int(CONF.api.max_limit)
    text = req.first("limit")
    if not text:
        return most
    try:
        limit = int(text)
    except ValueError:
        raise exception.Invalid("limit param must be an integer") from None
    if limit < 0:
        raise exception.Invalid("limit param must be positive")
    return min(limit, most)


def sort_of(req: Request, default_key: str, default_dir: str) -> tuple[tuple[str, str], ...]:
    """(key, direction) pairs; a key without a direction takes the last one given."""
    keys = [key.strip() for key in req.query.get("sort_key", [])] or [default_key]
    dirs = [direction.strip() for direction in req.query.get("sort_dir", [])] or [default_dir]
    if len(dirs) > len(keys):
        raise exception.Invalid("Sort direction size exceeds sort key size")
    dirs += [dirs[-1]] * (len(keys) - len(dirs))
    return tuple(zip(keys, dirs, strict=True))


def links_of(
    req: Request, path: str, items: Sequence[T], limit: int, marker: Callable[[T], str]
) -> list[dict[str, str]] | None:
    """The next link when the page is full, else None; "full" is what Nova looks at, even if nothing follows."""
    if not items or len(items) < limit:
        return None
    return req.links.next(path, req.query, marker(items[-1]))


def page(
    req: Request,
    path: str,
    key: str,
    views: list[Any],
    items: Sequence[T],
    limit: int,
    marker: Callable[[T], str],
    links_key: str | None = None,
) -> dict[str, Any]:
    """The answer of a list: its views, and ``<key>_links`` when there is a next page."""
    answer: dict[str, Any] = {key: views}
    links = links_of(req, path, items, limit, marker)
    if links is not None:
        answer[links_key or f"{key}_links"] = links
    return answer
