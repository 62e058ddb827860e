"""Migrations equal the models: one straight line, up from empty, safe when many start at once."""

from __future__ import annotations

import hashlib
import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from nova_lite import exception
from nova_lite.db import migration, session
from nova_lite.db.models import Base


@pytest.fixture
def empty(tmp_path: pathlib.Path) -> Iterator[str]:
    url = f"sqlite:///{tmp_path}/empty.sqlite"
    session.configure(url)
    yield url
    session.dispose()


def test_one_straight_line() -> None:
    script = ScriptDirectory.from_config(migration._config())
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1
    numbers = migration.revisions()
    assert numbers == [f"{number:03}" for number in range(1, len(numbers) + 1)]
    assert numbers == [str(each.revision) for each in reversed(list(script.walk_revisions()))]
    for each in script.walk_revisions():
        assert re.fullmatch(rf"v{each.revision}_[a-z0-9_]+\.py", os.path.basename(each.path))


# What others' databases have been brought to is never edited: what changes after that is a revision of its own.
# 003 was, once: it passes over what a database of an edited 002 has already. What it makes is what it made before.
PUBLISHED = {
    "v001_initial.py": "5d47c206f9acf7e17f1f78a3cd8eac03afd4148f7f42962bd741d72ed5399880",
    "v002_whole_compute_api.py": "fbe2bdf1034fb9e6ce11aef834dc0f85d18504b61b0e0742ff62e4ad407e02cb",
    "v003_nothing_is_lost.py": "c56d101256076710c0021a8b9dc64d1c680d1cc0e9b0d93af5662634c7251d49",
}


def test_a_published_revision_is_never_edited() -> None:
    versions = pathlib.Path(migration.__file__).parent / "alembic" / "versions"
    assert {name: hashlib.sha256((versions / name).read_bytes()).hexdigest() for name in PUBLISHED} == PUBLISHED


@pytest.mark.usefixtures("empty")
def test_the_former_release_can_write_into_the_new_schema() -> None:
    """Daemons of both run side by side during an upgrade: what they do not know of is empty or has a default."""
    migration.sync(max(PUBLISHED)[1:4])
    former = {(table, column["name"]) for table, column in _columns()}
    migration.sync()
    new = [(table, column) for table, column in _columns() if (table, column["name"]) not in former]
    tables = {table for table, _ in former}
    asked = [(table, column) for table, column in new if table in tables]
    assert asked or migration.head() == max(PUBLISHED)[1:4]
    assert [each for each in asked if not each[1]["nullable"] and each[1]["default"] is None] == []


@pytest.mark.usefixtures("empty")
def test_a_database_of_the_hours_in_which_a_revision_was_edited_comes_along() -> None:
    migration.sync("003")
    with session.engine().begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '002'"))
        connection.execute(text("ALTER TABLE services DROP COLUMN beats"))
    assert migration.sync() == migration.head()
    assert migration.differences() == []


def _columns() -> list[tuple[str, Any]]:
    """Every column of the database, after the name of its table."""
    found = inspect(session.engine())
    return [(table, column) for table in found.get_table_names() for column in found.get_columns(table)]


def test_migrations_do_not_import_models() -> None:
    """A migration says what was; the models say what is."""
    versions = pathlib.Path(migration.__file__).parent / "alembic" / "versions"
    for file in versions.glob("*.py"):
        assert "nova_lite" not in file.read_text(encoding="utf-8"), file.name


@pytest.mark.usefixtures("empty")
def test_up_from_empty_equals_the_models() -> None:
    assert migration.version() is None
    assert migration.sync() == migration.head() == migration.version()
    assert migration.differences() == []
    assert migration.sync() == migration.head()


@pytest.mark.usefixtures("empty")
def test_every_revision_is_a_step() -> None:
    for revision in migration.revisions():
        assert migration.sync(revision) == revision == migration.version()
    assert migration.differences() == []


@pytest.mark.usefixtures("empty")
def test_the_comparison_can_fail() -> None:
    migration.sync()
    with session.engine().begin() as connection:
        connection.execute(text("DROP TABLE keypairs"))
        connection.execute(text("ALTER TABLE services ADD COLUMN stray INTEGER"))
        connection.execute(text("DROP INDEX ix_instances_updated_at"))
    found = {str(each[0]) if isinstance(each, tuple) else str(each[0][0]) for each in migration.differences()}
    assert {"add_table", "remove_column", "add_index"} <= found


@pytest.mark.usefixtures("empty")
def test_check_says_what_to_do() -> None:
    with pytest.raises(
        exception.ConfigInvalid, match=f"revision none, .* needs {migration.head()}.*nova-lite-manage db"
    ):
        migration.check()
    migration.sync()
    migration.check()


@pytest.mark.usefixtures("empty")
def test_a_newer_database_is_left_alone() -> None:
    migration.sync()
    with session.engine().begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '999'"))
    with pytest.raises(exception.ConfigInvalid, match="made by a newer one"):
        migration.sync()
    with pytest.raises(exception.ConfigInvalid, match="made by a newer one. Upgrade nova-lite"):
        migration.check()


def test_a_broken_migration_leaves_nothing_behind(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(config: object, revision: str) -> None:
        session.database().local.session.execute(text("CREATE TABLE half (x INTEGER)"))
        raise KeyError

    monkeypatch.setattr("alembic.command.upgrade", broken)
    with pytest.raises(KeyError):
        migration.sync()
    monkeypatch.undo()
    assert migration.version() is None
    migration.sync()
    assert migration.differences() == []


PROGRAM = (
    "import sys; from nova_lite.db import migration, session; session.configure(sys.argv[1]); print(migration.sync())"
)


def test_daemons_that_start_at_once_do_not_collide(empty: str) -> None:
    daemons = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, empty], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    answers = [daemon.communicate(timeout=60) for daemon in daemons]
    assert [daemon.returncode for daemon in daemons] == [0] * 4, answers
    assert {out.strip() for out, _ in answers} == {migration.head()}
    assert migration.differences() == []


def test_every_table_and_column_has_a_name_that_every_backend_takes() -> None:
    """PostgreSQL cuts names at 63 characters; constraints without names cannot be altered on SQLite."""
    for table in Base.metadata.tables.values():
        names = [table.name, *table.columns.keys(), *(str(index.name) for index in table.indexes)]
        names += [str(constraint.name) for constraint in table.constraints]
        assert all(name != "None" and len(name) <= 63 for name in names), table.name
