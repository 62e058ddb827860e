"""Who ran when: live servers and deleted ones, in pages, by one statement."""

from __future__ import annotations

import datetime

import pytest

from nova_lite import exception
from nova_lite.db.api import instances, usage
from tests.harness.builders import uuid_of
from tests.harness.database import make_instance, statements

pytestmark = pytest.mark.usefixtures("database")

NOON = datetime.datetime(2026, 11, 20, 12)
HOUR = datetime.timedelta(hours=1)


def _server(name: str, project_id: str, begun: int | None, ended: int | None = None) -> None:
    times = {"launched_at": None if begun is None else NOON + begun * HOUR}
    instances.insert(make_instance(name, project_id=project_id, **times))
    if ended is not None:
        instances.tombstone(uuid_of(f"instance {name}"))
        moment = {"terminated_at": NOON + ended * HOUR}
        instances.update_if(uuid_of(f"instance {name}"), moment, include_deleted=True)


@pytest.fixture
def servers() -> None:
    for name, begun, ended in (("whole", -9, None), ("begins", 1, None), ("ends", -9, 1), ("short", 1, 2)):
        _server(name, "p", begun, ended)
    for name, begun, ended in (("before", -9, -1), ("after", 5, None), ("never", None, None)):
        _server(name, "p", begun, ended)
    _server("other", "q", -9)


def test_what_ran_in_the_time(servers: None) -> None:
    with statements() as seen:
        found = usage.list(NOON, NOON + 4 * HOUR)
    assert len(seen) == 1
    assert {each.name: each.hours(NOON, NOON + 4 * HOUR) for each in found} == {
        "whole": 4.0, "begins": 3.0, "ends": 1.0, "short": 1.0, "other": 4.0,
    }  # fmt: skip
    assert [each.project_id for each in found] == ["p"] * 4 + ["q"]
    assert {each.name for each in usage.list(NOON, NOON + 4 * HOUR, "q")} == {"other"}


def test_pages_of_servers_across_projects(servers: None) -> None:
    everybody = [each.uuid for each in usage.list(NOON, NOON + 4 * HOUR)]
    paged, marker = [], None
    while page := usage.list(NOON, NOON + 4 * HOUR, None, 2, marker):
        paged += [each.uuid for each in page]
        marker = paged[-1]
    assert paged == everybody
    for lost in ("zzz", "a\0b"):
        with pytest.raises(exception.MarkerNotFound):
            usage.list(NOON, NOON + HOUR, marker=lost)


def test_an_empty_time(servers: None) -> None:
    (found,) = usage.list(NOON, NOON + HOUR, "q")
    assert found.hours(NOON, NOON) == 0.0
