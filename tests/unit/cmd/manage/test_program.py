from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

from nova_lite import concurrency
from nova_lite.cmd.manage import not_needed, program

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
