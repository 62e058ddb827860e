"""A page of servers costs what it shows, not what the table holds: counted in the database's own steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import list_pages
import pytest

from nova_lite.db import session

SMALL, LARGE = 1000, 8000
NAMES = [case.name for case in list_pages.cases("", "")]
STEPS_APART = 50  # the counter's grain


def _cost(app: Any, case: list_pages.Case) -> tuple[int, int, int]:
    """Rows, statements and steps of the database's machine that a page takes."""
    list_pages.ask(app, case)
    counter = list_pages.Counter()
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += STEPS_APART
        return 0

    with session.reader() as reading:
        raw = reading.connection().connection.dbapi_connection
        raw.set_progress_handler(step, STEPS_APART)
        try:
            rows = list_pages.ask(app, case)  # joins the transaction around it, and so the connection that is watched
        finally:
            raw.set_progress_handler(None, 0)
    return rows, len(counter.seen), steps


@pytest.fixture(scope="module")
def costs() -> Iterator[dict[str, dict[int, tuple[int, int, int]]]]:
    found: dict[str, dict[int, tuple[int, int, int]]] = {name: {} for name in NAMES}
    for size in (SMALL, LARGE):
        with list_pages.table(size):
            app = list_pages.api()
            for case in list_pages.cases(list_pages.middle_of(size), list_pages.recently(size)):
                found[case.name][size] = _cost(app, case)
    yield found


@pytest.mark.parametrize("name", NAMES)
def test_a_page_does_not_cost_more_in_a_larger_table(
    costs: dict[str, dict[int, tuple[int, int, int]]], name: str
) -> None:
    (few, small_statements, small), (many, large_statements, large) = costs[name][SMALL], costs[name][LARGE]
    assert few > 0 and many > 0 and small > 0
    assert small_statements == large_statements <= 3
    case = next(each for each in list_pages.cases("", "") if each.name == name)
    if case.grows:
        assert large > 3 * small, "then it need not be called one that grows"
    else:
        # What a row costs, with what a page costs whatever it shows.
        assert large / (many + 5) < 1.5 * small / (few + 5)


def test_one_row_takes_as_many_statements_as_a_hundred(costs: dict[str, dict[int, tuple[int, int, int]]]) -> None:
    assert costs["detail, 1 row"][LARGE][1] == costs["detail, first page"][LARGE][1] == 1
