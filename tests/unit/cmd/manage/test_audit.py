"""What counts as found: what stands in two looks; and what the exit code makes of it."""

from __future__ import annotations

from unittest.mock import create_autospec

import pytest

from nova_lite import concurrency
from nova_lite import conf as catalogue
from nova_lite.audit import gather, metrics, repair
from nova_lite.audit.finding import Complaint, Finding, Repair, Rule
from nova_lite.audit.neighbours import Doors
from nova_lite.audit.world import World
from nova_lite.cmd.manage import audit, program
from nova_lite.cmd.manage.answer import Answer
from nova_lite.conf import CONF
from nova_lite.network.flat import FlatNetwork
from tests.harness.builders import NOW, make_service

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


def _answer(monkeypatch: pytest.MonkeyPatch, finding: Finding, why: str | None, *words: str) -> Answer:
    """An audit that finds this and cannot set it right: ``why``, or it stays although it was done."""
    monkeypatch.setattr(gather, "look", lambda doors, down_s: World(NOW))
    monkeypatch.setattr(audit, "findings", lambda world: [finding])
    monkeypatch.setattr(repair, "repair", lambda found, tools: {finding.key: why} if why else {})
    args = program.parser().parse_args(["audit", "--delete-stale", *words])
    catalogue.register_all(CONF)
    return audit.audited(CONF, args, Doors(None, None, None, None))


@pytest.mark.parametrize(
    ("why", "said", "looks"),
    [("the port is locked", "the port is locked", 1), (None, audit.STILL_THERE, 1 + audit.PATIENCE)],
)
def test_a_repair_that_fails_is_named_with_its_reason(
    why: str | None, said: str, looks: int, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = Finding(RULE, Complaint("port", "p", "it is nobody's", "a", "host1", Repair.GIVE_PORT_BACK))
    answer = _answer(monkeypatch, stale, why)
    assert answer.code == audit.FOUND
    assert answer.facts["findings"][0]["failed"] == said
    assert f"p: could not give port back: {said}" in answer.text
    assert len(waits) == looks, "for what failed nobody waits"


def test_hosts_that_are_down_count_though_nobody_asks_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "dead_hosts", lambda down_s: {"host1", "host3"})
    nodes = tuple(make_service(host) for host in ("host1", "host2"))
    world = gather._hosts(World(NOW, services=nodes), Doors(None, None, None, None), 60.0)
    assert (world.unheard, world.unasked) == ({"host1": gather.DOWN}, {"compute hosts": "--no-hosts"})
    assert "nova_lite_hosts_down 1.0" in metrics.text(world, [], {})


def test_a_network_without_ports_is_said_to_be_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    network = create_autospec(FlatNetwork, instance=True)
    network.ports.return_value = None
    world = gather._services(World(NOW), Doors(None, None, network, None))
    assert (world.unheard, world.ports) == ({}, None)
    assert "no ports" in world.unasked["network service"]
