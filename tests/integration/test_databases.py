"""MariaDB and PostgreSQL: the same schema, the same behaviour, the same outcome of every race as on SQLite.

Each engine's URL comes from NOVA_LITE_TEST_MYSQL_URL or NOVA_LITE_TEST_POSTGRESQL_URL, else from the lab. The
database's name must contain "test": its rows and tables are removed.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, create_engine, make_url, text

from nova_lite import exception
from nova_lite.db import migration, session
from nova_lite.db.api import instances
from nova_lite.db.models import Base
from nova_lite.db.session import retry_on_deadlock, writer
from tests.harness.database import URL_VARIABLE, fresh_database, make_instance
from tests.harness.races import green_races
from tests.harness.request_races import RACES

pytestmark = pytest.mark.timeout(300)

VARIABLES = {"mariadb": "NOVA_LITE_TEST_MYSQL_URL", "postgresql": "NOVA_LITE_TEST_POSTGRESQL_URL"}
NAME = "nova_lite_test"
KILL = {"mysql": "KILL {}", "postgresql": "SELECT pg_terminate_backend({})"}
TESTS = pathlib.Path(__file__).parents[1]
ROOMS = [str(TESTS / room) for room in ("unit/db", "unit/conductor", "functional/scheduler")]


def _from_lab(engine: str, request: pytest.FixtureRequest) -> str:
    """A database of its own on the lab's server."""
    from lab import databases

    server = databases.MAKERS[engine](request.getfixturevalue("laboratory").lab)
    server.start()
    if engine == "mariadb":
        server.sql(f"CREATE DATABASE IF NOT EXISTS {NAME}; GRANT ALL ON {NAME}.* TO '{databases.USER}'@'127.0.0.1';")
    elif not server.sql(f"SELECT 1 FROM pg_database WHERE datname = '{NAME}'", "postgres").strip():
        server.sql(f"CREATE DATABASE {NAME} OWNER {databases.USER}", "postgres")
    return make_url(server.url()).set(database=NAME).render_as_string(hide_password=False)


@pytest.fixture(scope="module", params=sorted(VARIABLES))
def url(request: pytest.FixtureRequest) -> str:
    found = os.environ.get(VARIABLES[request.param]) or _from_lab(request.param, request)
    assert "test" in str(make_url(found).database), f"{VARIABLES[request.param]} must name a database for tests"
    return found


@pytest.mark.usefixtures("laboratory")
def test_a_lab_made_anew_at_the_same_place_begins_anew(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's data lie outside the checkout: those of a checkout that was removed are not taken over."""
    from lab import databases, layout

    monkeypatch.setenv("NOVA_LITE_LAB_DIR", str(tmp_path))
    first = databases.Postgresql(layout.load())
    try:
        first.start()
        first.sql("CREATE TABLE older (id INTEGER)")
        first.start()
        assert first.sql("SELECT COUNT(*) FROM older").strip() == "0"
        (tmp_path / "lab.json").unlink()
        shutil.rmtree(tmp_path / "postgresql")
        second = databases.Postgresql(layout.load())
        second.start()
        assert second.data == first.data
        assert second.sql("SELECT tablename FROM pg_tables WHERE tablename = 'older'").strip() == ""
        second.stop()
    finally:
        assert not first.stop()
        shutil.rmtree(first.data.parent, ignore_errors=True)


@pytest.fixture
def empty(url: str) -> Iterator[str]:
    """No tables at all."""
    session.configure(url)
    _drop_everything()
    yield url
    _drop_everything()
    session.dispose()


def _drop_everything() -> None:
    with session.engine().begin() as connection:
        Base.metadata.drop_all(connection)
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))


@pytest.mark.usefixtures("empty")
def test_up_from_empty_equals_the_models() -> None:
    for revision in migration.revisions():
        assert migration.sync(revision) == revision
    assert migration.differences() == []
    migration.check()


PROGRAM = (
    "import sys; from nova_lite.db import migration, session; session.configure(sys.argv[1]); print(migration.sync())"
)


def test_daemons_that_start_at_once_do_not_collide(empty: str) -> None:
    daemons = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, empty], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    answers = [daemon.communicate(timeout=120) for daemon in daemons]
    assert [daemon.returncode for daemon in daemons] == [0] * 3, answers
    assert migration.differences() == []


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_race(race: Callable[[], None], url: str) -> None:
    with fresh_database(url):
        race()


def test_races_on_green_threads(url: str) -> None:
    assert green_races(url)["won"] == [race.__name__ for race in RACES]


def test_the_whole_room_behaves_as_on_sqlite(url: str) -> None:
    """The tests of the database room and of the scheduler's claims, run again on this backend."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *ROOMS],
        env={**os.environ, URL_VARIABLE: url}, capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:]
    assert " passed" in done.stdout and "skipped" not in done.stdout


def _number(connection: Connection) -> int:
    """The server's number of a connection."""
    mysql = session.backend_name() == "mysql"
    return int(connection.execute(text("SELECT CONNECTION_ID()" if mysql else "SELECT pg_backend_pid()")).scalar_one())


def _cut(number: int) -> None:
    """End the server's side of a connection, from another one."""
    with session.engine().connect() as other:
        other.execute(text(KILL[session.backend_name()].format(number)))


def test_a_connection_cut_in_the_middle_is_made_good(url: str) -> None:
    runs = []

    @retry_on_deadlock
    def work() -> None:
        runs.append(1)
        with writer() as writing:
            instances.insert(make_instance(f"vm{len(runs)}"))
            if len(runs) == 1:
                _cut(_number(writing.connection()))
            instances.count()

    with fresh_database(url):
        work()
        assert len(runs) == 2
        assert instances.count() == 1


def test_a_connection_cut_after_the_last_read_is_not_noticed(url: str) -> None:
    with fresh_database(url):
        before = session.engine().pool.checkedout()  # type: ignore[attr-defined]
        with session.reader() as reading:
            assert instances.count() == 0
            _cut(_number(reading.connection()))
        assert session.engine().pool.checkedout() == before  # type: ignore[attr-defined]
        assert instances.count() == 0


def test_connections_cut_while_idle_are_not_noticed(url: str) -> None:
    with fresh_database(url):
        with session.engine().connect() as one, session.engine().connect() as two:
            numbers = [_number(one), _number(two)]
        killer = create_engine(session.engine().url)
        with killer.connect() as other:
            for number in numbers:
                other.execute(text(KILL[session.backend_name()].format(number)))
        killer.dispose()
        assert instances.count() == 0


def test_no_server_there_is_503(url: str) -> None:
    session.configure(make_url(url).set(port=9).render_as_string(hide_password=False))
    try:
        with pytest.raises(exception.DatabaseUnavailable) as caught:
            instances.count()
        with pytest.raises(exception.DatabaseUnavailable):
            migration.version()
    finally:
        session.dispose()
    assert str(caught.value) == "The database is not available."
