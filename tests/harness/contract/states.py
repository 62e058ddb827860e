"""The tables of the contract's states.md as data."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from tests.harness.contract import material


@functools.cache
def text() -> str:
    return (material.location() / "states.md").read_text(encoding="utf-8")


def table(first_header: str) -> list[dict[str, str]]:
    """The rows of the table whose header line begins so.

    :raises StopIteration: there is none.
    """
    lines = iter(text().splitlines())
    header = _cells(next(line for line in lines if line.startswith(f"| {first_header} |")))
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append(dict(zip(header, _cells(line), strict=True)))
    return rows


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


@dataclass(frozen=True)
class Legality:
    """A row of section 2; ``tasks`` None means any; ``verb`` is the word in the 409."""

    action: str
    vm_states: frozenset[str]
    tasks: frozenset[str] | None
    lock_stops: bool
    verb: str


def legality() -> dict[str, Legality]:
    """Which action is legal when, by the contract's name of the action."""
    return {row["action"]: _legality(row) for row in table("action | active")}


def _legality(row: dict[str, str]) -> Legality:
    fixed = {"action", "task allowed", "lock stops it", "name in the 409"}
    allowed = row["task allowed"]
    tasks = None if allowed == "any" else frozenset(re.split(r",\s*", allowed))
    return Legality(
        row["action"],
        frozenset(name for name, cell in row.items() if name not in fixed and cell == "yes"),
        tasks,
        row["lock stops it"] == "yes",
        row["name in the 409"],
    )


SHORTHANDS = {
    "the four resize_*": "resize_prep, resize_migrating, resize_migrated, resize_finish",
    "the three rebuild*": "rebuilding, rebuild_block_device_mapping, rebuild_spawning",
}


def statuses() -> dict[tuple[str, str | None], str]:
    """(vm_state, task_state; None at rest) to status, as section 1 has them; other tasks leave the status at rest."""
    found: dict[tuple[str, str | None], str] = {}
    vm_state = ""
    for row in table("vm_state"):
        vm_state = row["vm_state"] or vm_state
        if row["status"]:
            found[vm_state, None] = row["status"]
        tasks = SHORTHANDS.get(row["while task_state is"], row["while task_state is"])
        for task in filter(None, re.split(r",\s*", tasks)):
            found[vm_state, task] = row["status is"]
    return found
