"""How tempest's results are counted: by class, with a failed set-up taking the whole class along."""

from __future__ import annotations

import pytest

from tests.harness import tempest
from tests.harness.tempest import Row, Wanted

CLASS = "tempest.api.compute.servers.test_novnc.NoVNCConsoleTestJSON"
OTHER = "tempest.api.compute.test_quotas.QuotasTestJSON"


@pytest.fixture
def rows() -> dict[str, Row]:
    return {name: Row(Wanted(name, "PASS 2", False), listed=2) for name in (CLASS, OTHER)}


def count(rows: dict[str, Row], test: str, status: str, reason: str = "") -> None:
    tempest._count(rows, {"id": test, "status": status, "reason": reason})


@pytest.mark.parametrize(
    ("test", "name"),
    [
        (f"{CLASS}.test_novnc[id-1,smoke]", CLASS),
        (f"setUpClass ({CLASS})", CLASS),
        (f"tearDownClass ({OTHER})", OTHER),
    ],
)
def test_the_class_of_a_test(test: str, name: str) -> None:
    assert tempest._class_of(test) == name


def test_each_test_is_counted_where_it_belongs(rows: dict[str, Row]) -> None:
    count(rows, f"{OTHER}.test_one[id-1]", "success")
    count(rows, f"{OTHER}.test_two[id-2]", "skip", "no quotas today")
    count(rows, "elsewhere.Class.test[id-3]", "fail")
    row = rows[OTHER]
    assert (row.passed, row.failed, row.skipped, row.reasons) == (1, 0, 1, {"test_two": "no quotas today"})
    assert tempest.lost(rows) == {CLASS: 2, OTHER: 1}


def test_a_set_up_takes_its_class_along(rows: dict[str, Row]) -> None:
    count(rows, f"setUpClass ({OTHER})", "fail", "Traceback: a key too many")
    count(rows, f"setUpClass ({CLASS})", "skip", "no consoles")
    assert (rows[OTHER].failed, rows[CLASS].skipped) == (2, 2)
    assert tempest.unargued(rows) == [f"{OTHER}.(set-up)"]
    assert "a key too many" in tempest.table(rows)


def test_what_nova_fails_too_is_argued_and_said(rows: dict[str, Row]) -> None:
    count(rows, f"{CLASS}.test_novnc[id-1]", "fail", "no proxy")
    assert tempest.unargued(rows) == []
    assert "ARGUED: no console proxy" in tempest.table(rows)
