from __future__ import annotations

import json

import pytest

from nova_lite import concurrency
from nova_lite.cmd import manage


@pytest.fixture(autouse=True)
def unpatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patching is for a process's whole life, and this is pytest's."""
    monkeypatch.setattr(concurrency, "patch", lambda backend=None: backend)


@pytest.mark.parametrize("words", [["--json", "db", "version"], ["db", "version", "--json"], ["db", "--help"]])
def test_json_may_stand_before_and_after_the_verb(words: list[str]) -> None:
    if "--help" in words:
        with pytest.raises(SystemExit) as caught:
            manage.parser().parse_args(words)
        assert caught.value.code == 0
    else:
        assert manage.parser().parse_args(words).json
        assert not manage.parser().parse_args(["db", "version"]).json


@pytest.mark.parametrize("words", [["db", "destroy"], ["nothing"], [], ["db", "sync", "--surely"]])
def test_what_is_not_understood_is_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        manage.main(words)
    assert caught.value.code == 2


def test_verbs_of_a_larger_nova_take_anything(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(manage, "_configure", lambda args: None)
    for name in manage.CELL_VERBS:
        assert manage.main(["cell_v2", name, "--cell_uuid", "x", "positional"]) == 0
    capsys.readouterr()
    assert manage.main(["api_db", "sync", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["done"] == "nothing"


def test_table_lines_up() -> None:
    rows = [{"binary": "nova-lite-api", "host": None}, {"binary": "x", "host": "h1"}]
    assert manage._table(rows, ("binary", "host")).splitlines() == [
        "Binary         Host",
        "nova-lite-api  -",
        "x              h1",
    ]
