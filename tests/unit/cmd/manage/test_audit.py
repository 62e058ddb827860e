"""What counts as found: what stands in two looks; and what the exit code makes of it."""

from __future__ import annotations

import pytest

from nova_lite import concurrency
from nova_lite.audit.finding import Complaint, Finding, Rule
from nova_lite.audit.world import World
from nova_lite.cmd.manage import audit, program
from tests.harness.builders import NOW

RULE = Rule("rule", "I5", "do something", lambda world: ())


def _finding(ident: str, sentence: str = "so it is") -> Finding:
    return Finding(RULE, Complaint("server", ident, sentence, ident, "host1"))


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr(concurrency, "sleep", slept.append)
    return slept


@pytest.mark.parametrize(
    ("first", "second", "stands"),
    [(["a", "b"], ["b", "c"], ["b"]), (["a"], [], []), (["a"], ["a"], ["a"]), (["a"], ["b"], [])],
)
def test_what_stands_in_two_looks_is_found(
    first: list[str], second: list[str], stands: list[str], waits: list[float]
) -> None:
    looks = [[_finding(ident) for ident in first], [_finding(ident, "with other words") for ident in second]]
    _, found = audit.standing(lambda: World(NOW), lambda world: looks.pop(0), 5.0)
    assert [finding.subject[1] for finding in found] == stands
    assert waits == [5.0]


def test_where_nothing_is_found_nobody_waits(waits: list[float]) -> None:
    assert audit.standing(lambda: World(NOW), lambda world: [], 5.0)[1] == []
    assert waits == []


@pytest.mark.parametrize(
    ("words", "wanted"),
    [([], True), (["--host", "host1"], True), (["--host", "host2"], False), (["--server", "a"], True),
     (["--server", "b"], False), (["--host", "host1", "--server", "b"], False)],
)  # fmt: skip
def test_host_and_server_narrow_what_is_shown(words: list[str], wanted: bool) -> None:
    args = program.parser().parse_args(["audit", *words])
    assert audit._is_wanted(_finding("a"), args) is wanted


def test_a_format_that_is_none_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        program.parser().parse_args(["audit", "--format", "poem"])
    assert caught.value.code == audit.BAD_INPUT == 127
    assert "poem" in capsys.readouterr().err
