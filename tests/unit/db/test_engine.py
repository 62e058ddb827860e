"""Engines: which URLs work, and how SQLite is set up."""

from __future__ import annotations

import pathlib
import stat

import pytest
from sqlalchemy import text

from nova_lite import concurrency
from nova_lite.db import engine
from nova_lite.exception import ConfigInvalid


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///x", "sqlite+pysqlite"),
        ("mysql://u:p@h/d", "mysql+pymysql"),
        ("mysql+pymysql://u:p@h/d", "mysql+pymysql"),
        ("mariadb://u:p@h/d", "mariadb+pymysql"),
        ("postgresql://u:p@h/d", "postgresql+psycopg2"),
        ("postgres://u:p@h/d", "postgresql+psycopg2"),
    ],
)
def test_drivers_are_spelled_out(url: str, driver: str) -> None:
    assert engine.checked_url(url).drivername == driver


@pytest.mark.parametrize(
    "url", ["", "nonsense", "oracle://u:secret@h/d", "postgresql+asyncpg://u:secret@h/d", "sqlite+aiosqlite:///x"]
)
def test_other_urls_are_refused_without_their_secrets(url: str) -> None:
    with pytest.raises(ConfigInvalid, match=r"\[database\] connection") as caught:
        engine.checked_url(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("postgresql+psycopg://u:secret@h/d", "postgresql+psycopg2"),
        ("mysql+mysqldb://u:secret@h/d", "mysql+pymysql"),
        ("mariadb+mysqldb://u:secret@h/d", "mysql+pymysql"),
    ],
)
def test_drivers_that_freeze_green_threads(url: str, remedy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert engine.checked_url(url).drivername == url.split(":")[0]
    monkeypatch.setattr(concurrency, "is_green", lambda: True)
    with pytest.raises(ConfigInvalid, match="stops every green thread") as caught:
        engine.checked_url(url)
    assert f"Use {remedy}://" in str(caught.value) and "secret" not in str(caught.value)


def test_a_missing_driver_is_named() -> None:
    with pytest.raises(ConfigInvalid, match="the driver of mysql\\+mysqldb is missing"):
        engine.make_engine(engine.checked_url("mysql+mysqldb://h/d"), engine.Settings())


def test_sqlite_is_private_and_set_up(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "state" / "nova-lite.sqlite"
    made = engine.make_engine(engine.checked_url(f"sqlite:///{file}"), engine.Settings())
    with made.connect() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
        connection.execute(text("CREATE TABLE t (x)"))
        connection.commit()
        assert {stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()} == {0o600}
    assert pragmas == {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 30000}
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    made.dispose()


def test_under_eventlet_sqlite_never_waits_long_in_c(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "is_green", lambda: True)
    made = engine.make_engine(engine.checked_url(f"sqlite:///{tmp_path}/x"), engine.Settings())
    with made.connect() as connection:
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 20
    made.dispose()


def test_a_file_that_cannot_be_made(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigInvalid, match="cannot be opened"):
        engine.make_engine(engine.checked_url(f"sqlite:///{tmp_path}/file/x"), engine.Settings())
