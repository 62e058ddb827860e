"""The page of the guards, from their rows and what the last run of each found (``make guards``)."""

from __future__ import annotations

from tests.harness.guards import results
from tests.harness.guards.table import Guard, guards, titles

Table = tuple[str, list[tuple[str, ...]]]


def tables() -> tuple[str, list[Table]]:
    """A sentence, and the tables by title, each with its header first."""
    rows, known = guards(), results.read()
    killed = sum(_found(guard, known.get(guard.name)).startswith("`") for guard in rows)
    said = (
        f"{len(rows)} guards stand between a fault and an invariant. `make guards` takes each out of a copy of the "
        f"tree, one at a time, and runs the tests named for it there: {killed} are seen to be missing. A test that is "
        "red with every guard in place counts for nothing, nor does a removal that is no program. Invariants (I) and "
        "scenarios (R) are those of the reliability design."
    )
    return said, [(title, _table([row for row in rows if row.room == room], known)) for room, title in titles().items()]


def _table(rows: list[Guard], known: dict[str, dict[str, str]]) -> list[tuple[str, ...]]:
    head = ("guard", "what it protects", "of", "where", "the test that fails without it")
    return [head, *(_row(guard, known.get(guard.name)) for guard in rows)]


def _row(guard: Guard, result: dict[str, str] | None) -> tuple[str, ...]:
    marks = " ".join([*guard.invariants, *guard.scenarios])
    place = guard.file.removeprefix("nova_lite/")
    return f"`{guard.name}`", guard.protects, marks, f"`{place}`", _found(guard, result)


def _found(guard: Guard, result: dict[str, str] | None) -> str:
    if result is None or result["fingerprint"] != guard.fingerprint:
        return "never tried as it is now"
    if result["outcome"] != "killed":
        return result["outcome"]
    return f"`{result['test']}`"
