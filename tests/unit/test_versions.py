"""The table of service versions, and who may serve beside whom."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

import pytest

from nova_lite import versions
from nova_lite.versions import HISTORY, ServiceVersion


@dataclass(frozen=True)
class Row:
    version: int
    works_with: int
    binary: str = "nova-lite-compute"
    host: str = "host1"


def test_the_history_is_a_history() -> None:
    assert [each.number for each in HISTORY] == list(range(1, len(HISTORY) + 1))
    for before, after in zip(HISTORY, HISTORY[1:], strict=False):
        assert before.works_with <= after.works_with <= after.number
        for topic, version in after.rpc.items():
            assert versions.lower(version, before.rpc[topic]) == before.rpc[topic], "a version went back"
    assert all(each.brought for each in HISTORY)


@pytest.mark.parametrize("topic", sorted(versions.CURRENT.rpc))
def test_what_is_sent_is_what_the_table_says(topic: str) -> None:
    assert versions.CURRENT.rpc[topic] == importlib.import_module(f"nova_lite.{topic}.rpcapi").VERSION


MINE = ServiceVersion(5, 3, versions.CURRENT.rpc, "")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (Row(5, 3), None),
        (Row(3, 1), None),
        (Row(6, 5), None),
        (Row(2, 1), "of service version 2, this one is of 5 and works with 3 or newer: upgrade that host first"),
        (Row(7, 6), "of service version 7 and works with 6 or newer, this one is of 5: upgrade this host first"),
    ],
)
def test_who_refuses_whom(other: Row, words: str | None) -> None:
    said = versions.refusal(other, MINE)
    assert said is None if words is None else said and words in said and "nova-lite-compute on host host1" in said


def test_a_refusal_is_mutual() -> None:
    """Whichever starts second refuses: the newer knows of the older what it needs, and the older reads it."""
    for number in range(1, 8):
        for oldest in range(1, number + 1):
            theirs = ServiceVersion(number, oldest, MINE.rpc, "")
            here = versions.refusal(Row(number, oldest), MINE)
            there = versions.refusal(Row(MINE.number, MINE.works_with), theirs)
            assert (here is None) == (there is None)


def test_the_words_of_an_older_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def rpc(version: str) -> dict[str, str]:
        return {"compute": version, "conductor": "1.0", "scheduler": "1.0"}

    history = (ServiceVersion(1, 1, rpc("1.0"), ""), ServiceVersion(2, 1, rpc("1.4"), ""))
    monkeypatch.setattr(versions, "HISTORY", history)
    assert [versions.understood("compute", number) for number in (0, 1, 2, 3)] == ["1.0", "1.0", "1.4", "1.4"]


@pytest.mark.parametrize(
    ("one", "other", "low"), [("1.9", "1.10", "1.9"), ("2.0", "1.10", "1.10"), ("1.0", "1.0", "1.0")]
)
def test_versions_are_numbers(one: str, other: str, low: str) -> None:
    assert versions.lower(one, other) == versions.lower(other, one) == low
