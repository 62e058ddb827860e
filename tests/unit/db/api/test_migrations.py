"""Moves: listed by what they are, changed only from the status that is expected, forgotten with their servers."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.db.api import instances, migrations
from nova_lite.objects import Migration, MigrationStatus, MigrationType
from tests.harness.builders import make_flavor, uuid_of
from tests.harness.database import make_instance

pytestmark = pytest.mark.usefixtures("database")
T0 = datetime.datetime(2026, 1, 1)


def _move(name: str, status: str = "finished", **values: Any) -> Migration:
    defaults: dict[str, Any] = {
        "uuid": uuid_of(name), "instance_uuid": uuid_of("server"), "migration_type": MigrationType.RESIZE,
        "status": status, "source_compute": "a", "dest_compute": "b", "project_id": "p", "user_id": "u",
    }  # fmt: skip
    return migrations.create(Migration(**{**defaults, **values}))


def _names(*moves: Migration) -> list[str]:
    return [move.uuid for move in moves]


def test_flavors_come_back_as_they_were() -> None:
    old, new = make_flavor("small"), make_flavor("large", vcpus=4)
    made = _move("m", old_flavor=old, new_flavor=new, held_vcpus=4, held_memory_mb=512)
    found = migrations.get(made.uuid)
    assert (found.old_flavor, found.new_flavor, found.held_vcpus, found.id) == (old, new, 4, made.id)


def test_each_filter_leaves_out_what_is_not_meant() -> None:
    first = _move("first", "error", source_compute="c", dest_compute="a")
    second = _move("second", user_id="other")
    assert migrations.list({}) == [migrations.get(first.uuid), migrations.get(second.uuid)]
    for filters, expected in [
        ({"status": "error"}, [first]),
        ({"host": "a"}, [first, second]),
        ({"host": "b"}, [second]),
        ({"source_compute": "c"}, [first]),
        ({"user_id": "other", "project_id": "p"}, [second]),
        ({"migration_type": "evacuation"}, []),
        ({"instance_uuid": uuid_of("server")}, [first, second]),
    ]:
        assert _names(*migrations.list(filters)) == _names(*expected), filters


def test_pages_neither_repeat_nor_lose_a_move() -> None:
    moves = [_move(str(number)) for number in range(5)]
    seen: list[str] = []
    while page := migrations.list({}, marker=seen[-1] if seen else None, limit=2, newest_first=True):
        seen += _names(*page)
        _move(f"new {len(seen)}")
    assert seen == _names(*reversed(moves))
    with pytest.raises(exception.MarkerNotFound):
        migrations.list({}, marker=uuid_of("no move"))


def test_changes_are_looked_for_between_two_moments() -> None:
    old, new = _move("old", created_at=T0), _move("new", created_at=T0 + datetime.timedelta(hours=2))
    moment = T0 + datetime.timedelta(hours=1)
    assert _names(*migrations.list({}, since=moment)) == [new.uuid]
    assert _names(*migrations.list({}, before=moment)) == [old.uuid]
    assert migrations.update_if(old.uuid, {"status": "confirmed"})
    assert _names(*migrations.list({}, since=moment)) == [old.uuid, new.uuid]


def test_a_status_is_left_once() -> None:
    move = _move("m")
    assert migrations.update_if(move.uuid, {"status": MigrationStatus.CONFIRMING}, MigrationStatus.FINISHED)
    assert not migrations.update_if(move.uuid, {"status": MigrationStatus.REVERTING}, MigrationStatus.FINISHED)
    assert migrations.open_of(move.instance_uuid) == migrations.get(move.uuid)


def test_what_waits_too_long_is_found() -> None:
    move = _move("m", "migrating")
    assert migrations.update_if(move.uuid, {"status": "finished"})
    now = utcnow()
    assert migrations.unconfirmed(now - datetime.timedelta(seconds=60)) == []
    assert _names(*migrations.unconfirmed(now + datetime.timedelta(seconds=1))) == [move.uuid]


def test_the_last_cold_moves_of_servers_that_are_there_were_given_up() -> None:
    gone, moved, failed, live = (
        instances.insert(make_instance(uuid=uuid_of(name))).uuid for name in ("gone", "moved", "failed", "live")
    )
    for uuid in (gone, moved, failed):
        _move(f"first {uuid}", "error", instance_uuid=uuid)
    instances.tombstone(gone)
    _move("then it worked", "confirmed", instance_uuid=moved)
    last = _move("and again", "error", instance_uuid=failed, migration_type=MigrationType.MIGRATION)
    _move("live", "error", instance_uuid=live, migration_type=MigrationType.LIVE)
    assert _names(*migrations.given_up()) == [last.uuid]


def test_ended_moves_of_forgotten_servers_are_forgotten() -> None:
    known = instances.insert(make_instance())
    kept = [_move("known", "error", instance_uuid=known.uuid), _move("open")]
    _move("gone", "reverted")
    later = utcnow() + datetime.timedelta(days=1)
    assert migrations.purge(utcnow() - datetime.timedelta(days=1)) == 0
    assert migrations.purge(later) == 1
    assert _names(*migrations.list({})) == _names(*kept)
