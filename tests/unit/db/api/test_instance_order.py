"""Where a page begins: at the place that was told, whatever became of the row that stood there."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.db.api import instances
from nova_lite.objects import ServerSearch
from tests.harness.builders import NOW, uuid_of
from tests.harness.database import fresh_database, make_instance

MOVING = (
    (("display_name", "asc"),), (("locked", "desc"),), (("launched_at", "asc"),), (("launched_at", "desc"),),
    (("power_state", "asc"), ("key_name", "desc")), (("updated_at", "desc"),), (("key_name", "asc"), ("id", "desc")),
)  # fmt: skip


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    with fresh_database():
        yield


def _fill() -> None:
    for number in range(9):
        instances.insert(make_instance(
            f"vm{number}", display_name="abc"[number % 3], locked=number % 2 == 0, power_state=number % 2,
            launched_at=NOW + datetime.timedelta(microseconds=number // 2) if number % 4 else None,
            key_name=("k1", None, "k2")[number % 3], created_at=NOW, updated_at=NOW + datetime.timedelta(0, number % 3),
        ))  # fmt: skip


@pytest.mark.parametrize("sort", MOVING)
def test_pages_join_into_the_whole_when_each_last_row_is_deleted(sort: tuple[tuple[str, str], ...]) -> None:
    _fill()
    whole = [each.uuid for each in instances.list(ServerSearch("project", sort=sort))]
    seen: list[str] = []
    search = ServerSearch("project", sort=sort, limit=2)
    while page := instances.names(search):
        seen += [each.uuid for each in page]
        assert len(seen) <= len(whole), "it does not end"
        assert page.end is not None
        told = tuple(json.loads(json.dumps(page.end)))
        changes: dict[str, Any] = {"display_name": "zzz", "locked": False, "key_name": None, "launched_at": None}
        assert instances.update_if(page[-1].uuid, changes)
        assert instances.tombstone(page[-1].uuid)
        search = ServerSearch("project", sort=sort, limit=2, marker=page[-1].uuid, after=told)
    assert seen == whole


@pytest.mark.parametrize("sort", [(("created_at", "desc"), ("id", "desc")), (("uuid", "asc"),), ()])
def test_an_order_that_stays_tells_no_place(sort: tuple[tuple[str, str], ...]) -> None:
    _fill()
    assert instances.list(ServerSearch("project", sort=sort, limit=2)).end is None
    assert instances.list(ServerSearch("project", sort=(("host", "asc"),), limit=0)).end is None
    assert instances.list(ServerSearch("nobody", sort=(("host", "asc"),))).end is None


@pytest.mark.parametrize(
    "place",
    [(), ("a",), ("a", 1, 2), (1, 1), (None, 1), ("a", None), ("a", "1"), ("a", 2**62), ("a", True), ("a\0", 1)],
)
def test_a_place_of_another_order_is_refused(place: tuple[Any, ...]) -> None:
    _fill()
    search = ServerSearch("project", sort=(("display_name", "asc"),), marker=uuid_of("x"), after=place)
    with pytest.raises(exception.Invalid):
        instances.list(search)


def test_a_time_that_is_none_is_refused() -> None:
    search = ServerSearch("project", sort=(("launched_at", "asc"),), marker=uuid_of("x"), after=(1, "noon", 1))
    with pytest.raises(exception.Invalid):
        instances.list(search)
