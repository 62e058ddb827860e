from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import pytest
from oslo_config import cfg
from sqlalchemy import text

from nova_lite import concurrency, liveness
from nova_lite import conf as options
from nova_lite.cmd.manage import not_needed, program
from nova_lite.db import session
from nova_lite.db.api import services

ROOT = pathlib.Path(__file__).resolve().parents[4]


@pytest.fixture(autouse=True)
def unpatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patching is for a process's whole life, and this is pytest's."""
    monkeypatch.setattr(concurrency, "patch", lambda backend=None: backend)


@pytest.mark.parametrize("words", [["--json", "db", "version"], ["db", "version", "--json"], ["db", "--help"]])
def test_json_may_stand_before_and_after_the_verb(words: list[str]) -> None:
    if "--help" in words:
        with pytest.raises(SystemExit) as caught:
            program.parser().parse_args(words)
        assert caught.value.code == 0
    else:
        assert program.parser().parse_args(words).json
        assert not program.parser().parse_args(["db", "version"]).json


@pytest.mark.parametrize("words", [["db", "destroy"], ["nothing"], [], ["db", "sync", "--surely"]])
def test_what_is_not_understood_is_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        program.main(words)
    assert caught.value.code == 2


def test_verbs_of_a_larger_nova_take_anything(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "_configure", lambda args: None)
    for name in not_needed.CELL_VERBS:
        assert program.main(["cell_v2", name, "--cell_uuid", "x", "positional"]) == 0
    capsys.readouterr()
    assert program.main(["api_db", "sync", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["done"] == "nothing"


def test_a_reader_that_had_enough_ends_it_quietly(tmp_path: pathlib.Path) -> None:
    code = "import sys; from nova_lite.cmd.manage import main; sys.exit(main(['config', 'generate']))"
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert (process.wait(30), said) == (1, b"")


# -- the schema is looked at before anything is asked ----------------------------------------------------------------


@pytest.fixture
def place(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pathlib.Path]:
    """A state directory that does not exist yet, as the configuration of every command here."""
    state = tmp_path / "state"

    def configure(args: object) -> cfg.ConfigOpts:
        conf = cfg.ConfigOpts()
        options.register_all(conf)
        conf([], project="nova-lite", default_config_files=[], default_config_dirs=[])
        conf.set_override("state_path", str(state))
        return conf

    monkeypatch.setattr(program, "_configure", configure)
    yield state
    session.dispose()


ASKING = (["audit", "--no-hosts"], ["operation", "list"], ["service", "list"], ["quarantine", "list"])


@pytest.mark.parametrize("words", ASKING)
def test_where_nothing_is_synced_it_says_db_sync(
    words: list[str], place: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(words) == 1
    said = capsys.readouterr()
    assert "is at revision none" in said.err and "Run: nova-lite-manage db sync" in said.err
    assert not place.exists()


@pytest.mark.parametrize(("revision", "told"), [("002", "Run: nova-lite-manage db sync"), ("099", "a newer one")])
def test_another_schema_is_refused_whatever_is_asked(
    revision: str, told: str, place: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(["db", "sync"]) == 0
    with session.engine().begin() as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{revision}'"))
    capsys.readouterr()
    for words in ASKING:
        assert program.main(words) == 1
        said = capsys.readouterr()
        assert f"is at revision {revision}" in said.err and told in said.err and said.out == ""


def test_the_version_is_a_question_that_makes_nothing(place: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["db", "version"]) == 0
    assert capsys.readouterr().out.startswith("none   (this code needs")
    assert not place.exists()


def test_the_version_of_a_newer_database_asks_for_no_sync(
    place: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(["db", "sync"]) == 0
    with session.engine().begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '099'"))
    capsys.readouterr()
    assert program.main(["db", "version"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("099   (newer than this code") and "db sync" not in said


def test_a_folder_that_is_a_slip_of_the_pen_is_not_made(
    place: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configure = program._configure

    def misspelt(args: argparse.Namespace) -> cfg.ConfigOpts:
        conf = configure(args)
        conf.set_override("connection", f"sqlite:///{tmp_path}/nowhere/x.sqlite", group="database")
        return conf

    monkeypatch.setattr(program, "_configure", misspelt)
    assert program.main(["db", "sync"]) == 1
    assert f"the folder {tmp_path}/nowhere of the database file does not exist" in capsys.readouterr().err
    assert not (tmp_path / "nowhere").exists()


def test_a_host_that_is_up_keeps_its_identity_unless_somebody_insists(
    place: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert program.main(["db", "sync"]) == 0
    services.register("vm", liveness.COMPUTE, "compute", "epoch")
    forgotten: list[str] = []
    monkeypatch.setattr(services, "forget_identity", lambda host, binary: forgotten.append(host))
    monkeypatch.setattr(liveness, "is_up", lambda service, down_s: True)
    assert program.main(["service", "forget_identity", "vm"]) == 1
    assert "is up" in capsys.readouterr().err and forgotten == []
    assert program.main(["service", "forget_identity", "vm", "--force"]) == 0
    monkeypatch.setattr(liveness, "is_up", lambda service, down_s: False)
    assert program.main(["service", "forget_identity", "vm"]) == 0
    assert forgotten == ["vm", "vm"]


def test_a_copy_is_adopted_while_nobody_works_on_it(place: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["db", "sync"]) == 0
    services.register("ctl", "nova-lite-scheduler", "scheduler", "1")
    capsys.readouterr()
    assert program.main(["db", "adopt"]) == 1
    assert "Daemons are up: nova-lite-scheduler on ctl. Stop all of them" in capsys.readouterr().err
    assert program.main(["--json", "db", "adopt", "--force"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts.pop("cloud") and facts == {"servers": [], "images": [], "volumes": []}
