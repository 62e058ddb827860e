"""The table of guests that a host finds: every cell, and that no cell destroys without proof."""

from __future__ import annotations

import itertools

import pytest

from nova_lite.compute.custody import RULES, DeletedAction, Mark, Place, Power, Verdict, judge, mark_of, of_deleted

L, N, S, Q, D = Verdict.LEAVE, Verdict.NOTE, Verdict.STOP, Verdict.QUARANTINE, Verdict.DESTROY
F = Verdict.FOLLOW
# place, then for each mark (none, older, equal, newer) the verdict on a guest that runs, one that is off, and disks.
CELLS = {
    Place.HERE: ((N, N, L), (L, L, L), (L, L, L), (N, N, L)),
    Place.STOPPED: ((N, N, L), (S, L, L), (S, L, L), (N, N, L)),
    Place.SOFT_DELETED: ((N, N, L), (S, L, L), (S, L, L), (N, N, L)),
    Place.EVACUATING: ((N, N, L), (S, L, L), (S, L, L), (N, N, L)),
    Place.MOVING: ((L, L, L), (L, L, L), (L, L, L), (L, L, L)),
    Place.UNPROVED: ((N, N, N), (Q, N, N), (Q, N, N), (N, N, N)),
    Place.SENT: ((N, N, N), (D, D, D), (Q, N, N), (F, N, N)),
    Place.ELSEWHERE: ((N, N, N), (D, D, D), (Q, N, N), (N, N, N)),
    Place.DELETED: ((N, N, N), (D, D, D), (D, D, D), (D, D, D)),
    Place.ABSENT: ((N, N, N), (Q, N, N), (Q, N, N), (Q, N, N)),
}
ALL = [*itertools.product(Place, Mark, Power)]


def test_the_cells_are_all_there_are() -> None:
    assert CELLS.keys() == set(Place)
    assert all(len(marks) == len(Mark) and all(len(cell) == len(Power) for cell in marks) for marks in CELLS.values())


@pytest.mark.parametrize(("place", "mark", "power"), ALL, ids=lambda value: str(value))
def test_every_cell(place: Place, mark: Mark, power: Power) -> None:
    wanted = CELLS[place][[*Mark].index(mark)][[*Power].index(power)]
    rule = judge(place, mark, power)
    assert (rule.verdict, bool(rule.why)) == (wanted, True)


def test_every_rule_decides_something() -> None:
    assert {id(judge(*cell)) for cell in ALL} == {id(rule) for rule in RULES}


@pytest.mark.parametrize(("place", "mark", "power"), ALL, ids=lambda value: str(value))
def test_nothing_is_destroyed_without_proof(place: Place, mark: Mark, power: Power) -> None:
    if judge(place, mark, power).verdict is Verdict.DESTROY:
        assert mark is not Mark.NONE
        assert place is Place.DELETED or (place in (Place.ELSEWHERE, Place.SENT) and mark is Mark.OLDER)


@pytest.mark.parametrize(("place", "mark"), [*itertools.product(Place, Mark)], ids=lambda value: str(value))
def test_what_has_no_process_is_never_stopped(place: Place, mark: Mark) -> None:
    for power in (Power.OFF, Power.DISKS):
        assert judge(place, mark, power).verdict not in (Verdict.STOP, Verdict.QUARANTINE)


@pytest.mark.parametrize(
    ("generation", "of_server", "has_guest", "mark"),
    [
        (None, 3, True, Mark.NONE), (None, 3, False, Mark.OLDER), (None, None, False, Mark.OLDER),
        (2, 3, True, Mark.OLDER), (3, 3, True, Mark.EQUAL), (4, 3, False, Mark.NEWER), (4, None, True, Mark.EQUAL),
    ],
)  # fmt: skip
def test_marks(generation: int | None, of_server: int | None, has_guest: bool, mark: Mark) -> None:
    assert mark_of(generation, of_server, has_guest) is mark


@pytest.mark.parametrize(
    ("action", "running", "off"),
    [
        (DeletedAction.NOOP, L, L), (DeletedAction.LOG, N, N), (DeletedAction.SHUTDOWN, Q, N),
        (DeletedAction.REAP, D, D),
    ],
)  # fmt: skip
def test_the_operators_wish_for_deleted_servers(action: DeletedAction, running: Verdict, off: Verdict) -> None:
    assert of_deleted(D, Power.RUNNING, action) is running
    assert of_deleted(D, Power.OFF, action) is of_deleted(D, Power.DISKS, action) is off
    assert of_deleted(Verdict.NOTE, Power.RUNNING, action) is Verdict.NOTE
