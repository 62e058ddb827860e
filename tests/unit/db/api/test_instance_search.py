"""Lists of servers: what is in, in which order, page by page."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from sqlalchemy import text

from nova_lite import exception
from nova_lite.db import session
from nova_lite.db.api import instance_search, instances
from nova_lite.objects import Instance, ServerName, ServerSearch
from tests.harness.builders import make_flavor, uuid_of
from tests.harness.database import make_instance

pytestmark = pytest.mark.usefixtures("database")
NOON = datetime.datetime(2026, 11, 20, 12)


def _insert(name: str, **values: Any) -> Instance:
    return instances.insert(make_instance(name, **values))


def _names(project: str | None = "project", **search: Any) -> list[str]:
    """Names of the page, which is the same in short."""
    wanted = ServerSearch(project, **search)
    found = instances.list(wanted)
    assert instances.names(wanted) == [ServerName(each.uuid, each.display_name) for each in found]
    return [each.display_name for each in found]


def _found(**search: Any) -> set[str]:
    return set(_names(**search))


# -- what -----------------------------------------------------------------------------------------


def test_project_and_deleted() -> None:
    _insert("a")
    _insert("b", project_id="other")
    instances.tombstone(_insert("c").uuid)
    assert _found() == {"a"}
    assert _found(project=None) == {"a", "b"}
    assert _found(deleted=True) == {"c"}
    assert _found(deleted=None) == {"a", "c"}


def test_changes() -> None:
    _insert("old", updated_at=NOON)
    _insert("new", updated_at=NOON + datetime.timedelta(microseconds=1))
    assert _found(changes_since=NOON) == {"old", "new"}
    assert _found(changes_since=NOON + datetime.timedelta(microseconds=1)) == {"new"}
    assert _found(changes_before=NOON) == {"old"}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"host": "h1"}, {"a"}),
        ({"host": ("h1", "h2")}, {"a", "b"}),
        ({"host": None}, {"c"}),
        ({"host": ()}, set()),
        ({"power_state": "4"}, {"b"}),
        ({"power_state": "four"}, set()),
        ({"power_state": 10**30}, set()),
        ({"locked": "True"}, {"b"}),
        ({"locked": False}, {"a", "c"}),
        ({"locked": "perhaps"}, set()),
        ({"flavor": "big"}, {"c"}),
        ({"flavor_id": ["big", "m1.small"]}, {"a", "b", "c"}),
        ({"image": uuid_of("image")}, {"a", "b", "c"}),
        ({"instance_uuid": uuid_of("instance a")}, {"a"}),
        ({"vcpus": 3}, {"c"}),
        ({"created_at": "2026-11-20T12:00:00"}, {"a"}),
        ({"created_at": "2026-11-20T13:00:00+01:00"}, {"a"}),
        ({"created_at": "yesterday"}, set()),
        ({"display_name": "a' OR '1'='1"}, set()),
        ({"display_name": "nul\x00"}, set()),
    ],
)
def test_filters(filters: dict[str, Any], expected: set[str]) -> None:
    _insert("a", host="h1", created_at=NOON)
    _insert("b", host="h2", power_state=4, locked=True)
    _insert("c", flavor=make_flavor("big", vcpus=3))
    assert _found(filters=filters) == expected


@pytest.mark.parametrize("name", ["flavor.name", "metadata", "__class__", "deleted; drop table instances", "tags"])
def test_unknown_filters_are_refused(name: str) -> None:
    with pytest.raises(exception.Invalid):
        _names(filters={name: "x"})
    with pytest.raises(exception.Invalid):
        _names(patterns={name: "x"})


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"name": "web"}, {"web-1", "web-2", "old web"}),
        ({"name": "^web"}, {"web-1", "web-2"}),
        ({"name": "web-[2-9]$"}, {"web-2"}),
        ({"name": "WEB"}, set()),
        ({"name": "%"}, {"100%"}),
        ({"name": "_"}, set()),
        ({"name": "it's"}, set()),
        ({"name": "web|100"}, {"web-1", "web-2", "old web", "100%"}),
        ({"name": r"\d{3}"}, {"100%"}),
        ({"name": "\x00"}, set()),
        ({"ip": "10.0.0.1$"}, {"web-1"}),
        ({"ip": r"^10\.0\.0\.1"}, {"web-1", "web-2"}),
        ({"ip6": "^fd00"}, {"web-1", "web-2", "old web", "100%"}),
        ({"ip6": "^00"}, set()),
    ],
)
def test_patterns(pattern: dict[str, str], expected: set[str]) -> None:
    for number, name in enumerate(("web-1", "web-2", "old web", "100%")):
        _insert(name, address=f"10.0.0.{(1, 12, 2, 3)[number]}")
    assert _found(patterns=pattern) == expected


@pytest.mark.parametrize("pattern", ["(a+)+$", "[", "a" * 256, r"(a)\1", "(?=x)"])
def test_dangerous_patterns_are_refused(pattern: str) -> None:
    _insert("a" * 200)
    with pytest.raises(exception.Invalid):
        _names(patterns={"name": pattern + "+"})


@pytest.mark.parametrize("pattern", ["(?P<x>a)b.", "a++", "x{1}{2}", r"\Za.", "[[:foo:]]", r"a\N{BULLET}.", "a{,3}b."])
def test_what_one_backend_reads_otherwise_is_at_worst_refused(pattern: str) -> None:
    _insert("ab")
    try:
        assert _found(patterns={"name": pattern}) <= {"ab"}
    except exception.Invalid as error:
        assert "invalid" in str(error) or "repeat" in str(error)


def test_a_search_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _insert("ab")
    sleeping = {"mysql": "SELECT SLEEP(5)", "postgresql": "SELECT pg_sleep(5)"}.get(session.backend_name())
    monkeypatch.setattr(instance_search, "_TIME_LIMIT_S", 0.1)
    with pytest.raises(exception.Invalid, match="takes too long"):
        if sleeping:
            with session.reader() as reading, instance_search._limited_time(reading):
                reading.execute(text(sleeping))
        else:
            monkeypatch.setattr(instance_search.patterns, "BUDGET_S", 0)
            _names(patterns={"name": "a.|b"})
    assert _names() == ["ab"]


def test_statuses() -> None:
    _insert("active")
    _insert("pausing", task_state="pausing")
    _insert("rebooting", task_state="rebooting")
    _insert("error", vm_state="error")
    assert _found(statuses=(("active", None),)) == {"active", "pausing", "rebooting"}
    assert _found(statuses=(("active", ("rebooting",)), ("error", None))) == {"rebooting", "error"}
    assert _found(statuses=()) == set()


def test_tags() -> None:
    _insert("none", tags=())
    _insert("blue", tags=("blue",))
    _insert("both", tags=("blue", "red"))
    assert _found(tags_all=("blue", "red")) == {"both"}
    assert _found(tags_any=("blue", "green")) == {"blue", "both"}
    assert _found(not_tags_all=("blue", "red")) == {"none", "blue"}
    assert _found(not_tags_any=("red",)) == {"none", "blue"}
    assert _found(tags_any=("blue",), not_tags_any=("red",)) == {"blue"}
    assert _found(tags_any=("Blue", "nul\x00")) == set()
    assert _found(tags_all=("blue", "nul\x00")) == set()
    many = tuple(f"t{number}" for number in range(2500))
    assert _found(tags_all=many) == _found(tags_any=many) == set()
    assert _found(not_tags_all=many) == _found(not_tags_any=many) == {"none", "blue", "both"}


def test_metadata() -> None:
    _insert("web", metadata={"role": "web", "x": 'a "quoted" one'})
    _insert("umlaut", metadata={"grün": "ja", "role": "webber"})
    assert _found(metadata=(("role", "web"),)) == {"web"}
    assert _found(metadata=(("x", 'a "quoted" one'), ("role", "web"))) == {"web"}
    assert _found(metadata=(("grün", "ja"),)) == {"umlaut"}
    assert _found(metadata=(("role", "we"),)) == set()
    assert _found(metadata=(("web", "x"),)) == set()


# -- order and pages ------------------------------------------------------------------------------


def test_newest_first_by_default() -> None:
    for name in ("a", "b", "c"):
        _insert(name, created_at=NOON if name != "c" else NOON - datetime.timedelta(seconds=1))
    assert _names() == ["b", "a", "c"]


@pytest.mark.parametrize(
    "sort",
    [
        (("created_at", "desc"), ("id", "desc")),
        (("created_at", "asc"),),
        (("host", "asc"), ("display_name", "desc")),
        (("host", "desc"),),
        (("vcpus", "asc"), ("uuid", "desc")),
        (("launched_at", "desc"), ("host", "asc")),
        (),
    ],
)
def test_pages_join_into_the_whole(sort: tuple[tuple[str, str], ...]) -> None:
    for number in range(11):
        _insert(
            f"vm{number}",
            host=None if number % 3 == 0 else f"h{number % 2}",
            flavor=make_flavor("f", vcpus=number % 4),
            created_at=NOON + datetime.timedelta(microseconds=number // 2),
            launched_at=NOON if number % 2 else None,
        )
    whole = instances.list(ServerSearch("project", sort=sort))
    assert len(whole) == 11
    pages, marker = [], None
    while page := instances.list(ServerSearch("project", sort=sort, limit=2, marker=marker)):
        pages += page
        marker = page[-1].uuid
    assert pages == whole


def test_the_unset_come_first_when_ascending() -> None:
    _insert("set", host="h")
    _insert("unset", host=None)
    assert _names(sort=(("host", "asc"),)) == ["unset", "set"]
    assert _names(sort=(("host", "desc"),)) == ["set", "unset"]


@pytest.mark.parametrize("key", ["__class__", "fault", "metadata", "user_data", "id desc; drop table instances"])
def test_sort_keys_are_an_allow_list(key: str) -> None:
    with pytest.raises(exception.Invalid):
        _names(sort=((key, "asc"),))
    with pytest.raises(exception.Invalid):
        _names(sort=(("created_at", "sideways"),))


@pytest.mark.parametrize("marker", ["zzz", "", "nul\x00", uuid_of("instance foreign")])
def test_a_marker_must_be_visible(marker: str) -> None:
    _insert("mine")
    _insert("foreign", project_id="other")
    with pytest.raises(exception.MarkerNotFound):
        _names(marker=marker)


def test_a_page_goes_on_after_its_marker_was_deleted() -> None:
    uuids = [_insert(name).uuid for name in ("a", "b", "c")]
    instances.tombstone(uuids[1])
    assert _names(marker=uuids[1]) == ["a"]


def test_limit_none_of_them() -> None:
    _insert("a")
    assert _names(limit=0) == []
