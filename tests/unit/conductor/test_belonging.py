"""Which database a conductor takes for its own, at its start and while it runs."""

from __future__ import annotations

import pathlib

import pytest
from sqlalchemy import text

from nova_lite import exception
from nova_lite.conductor.belonging import Belonging
from nova_lite.db.api import cloud, services
from nova_lite.db.session import writer
from nova_lite.manager import PeriodicTask
from nova_lite.objects import Service

BINARY = "nova-lite-conductor"

pytestmark = pytest.mark.usefixtures("database")


def _life(directory: pathlib.Path | None, epoch: str = "1") -> Belonging:
    return Belonging(Service("", "ctl", BINARY, "conductor", epoch=epoch), directory)


def _sql(statement: str) -> None:
    with writer() as session:
        session.execute(text(statement))


def _known_for_long(directory: pathlib.Path | None) -> Belonging:
    life = _life(directory)
    life.register()
    for _ in range(5):
        life.beat()
    return life


def test_a_conductor_that_starts_again_belongs(tmp_path: pathlib.Path) -> None:
    _known_for_long(tmp_path)
    again = _life(tmp_path, "2")
    again.register()
    again.beat()
    assert again.refusal is None and services.beats("ctl", BINARY) == 8


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("update services set beats = 2", "older copy"),
        ("update cloud_identity set mark = 0", "older copy"),
        ("update cloud_identity set uuid = 'another'", "that of cloud another"),
    ],
)
def test_another_database_is_refused_and_nothing_is_written(
    tmp_path: pathlib.Path, statement: str, words: str
) -> None:
    _known_for_long(tmp_path)
    _sql(statement)
    before = services.get_by_host("ctl", BINARY), cloud.get()
    again = _life(tmp_path, "2")
    with pytest.raises(exception.HostRefused, match=words):
        again.register()
    assert (services.get_by_host("ctl", BINARY), cloud.get()) == before


def test_one_that_was_removed_from_the_list_comes_back(tmp_path: pathlib.Path) -> None:
    life = _known_for_long(tmp_path)
    services.destroy(services.get_by_host("ctl", BINARY).uuid)
    life.beat()
    assert life.refusal is None and services.beats("ctl", BINARY) == 7


def test_without_a_memory_any_database_is_its_own() -> None:
    _known_for_long(None)
    _sql("update services set beats = 2")
    _life(None, "2").register()


@pytest.mark.parametrize("looks", ["beat", "task"])
def test_while_it_runs_the_count_must_go_on(tmp_path: pathlib.Path, looks: str) -> None:
    life = _known_for_long(tmp_path)
    done: list[str] = []
    task = life.guarded(PeriodicTask(lambda: done.append("swept"), 1.0, name="sweep"))
    task.run()
    _sql("update services set beats = 2")
    with pytest.raises(exception.HostRefused, match="[23] heartbeats"):
        life.beat() if looks == "beat" else task.run()
    task.run()
    assert done == ["swept"] and life.refusal is not None and task.label == "sweep"


def test_a_copy_that_is_one_heartbeat_old_is_seen_by_the_next(tmp_path: pathlib.Path) -> None:
    life = _known_for_long(tmp_path)
    _sql("update services set beats = beats - 1")
    with pytest.raises(exception.HostRefused, match="older copy"):
        life.beat()


def test_a_copy_that_does_not_know_the_conductor_is_left_alone_until_it_is_asked(tmp_path: pathlib.Path) -> None:
    life = _known_for_long(tmp_path)
    done: list[str] = []
    _sql("delete from services")
    _sql("update cloud_identity set mark = 0")
    task = life.guarded(PeriodicTask(lambda: done.append("swept"), 1.0, name="sweep"))
    task.run()
    with pytest.raises(exception.HostRefused):
        life.beat()
    task.run()
    assert done == []
