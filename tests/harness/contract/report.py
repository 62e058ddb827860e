"""What a replay found: a counted table per operation, then every failure, note and gap by name."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tests.harness.contract.material import Call


class Verdict(enum.StrEnum):
    """BLOCKED: the endpoint lacks what the call needs; ABOVE: over its maximum and refused with 406, as it must be."""

    PASSED = "passed"
    FAILED = "failed"
    BLOCKED = "blocked"
    ABOVE = "above max"


@dataclass(frozen=True)
class Outcome:
    """One call's end; ``details`` say what differed or was missing; ``note`` which rule changed the expectation."""

    call: Call
    verdict: Verdict
    details: tuple[str, ...] = ()
    note: str | None = None


def table(outcomes: Iterable[Outcome]) -> str:
    """Listed, passed, failed, blocked and above max by operation, with a sum."""
    counts: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        row = counts.setdefault(f"{outcome.call.tier} {outcome.call.operation}", Counter())
        row["listed"] += 1
        row[outcome.verdict.value] += 1
    columns = ["listed", *(verdict.value for verdict in Verdict)]
    width = max((len(name) for name in counts), default=9)
    lines = [f"{'operation':<{width}}" + "".join(f"{column:>11}" for column in columns)]
    for name, row in sorted(counts.items()):
        lines.append(f"{name:<{width}}" + "".join(f"{row[column]:>11}" for column in columns))
    total = sum(counts.values(), Counter())
    lines.append(f"{'sum':<{width}}" + "".join(f"{total[column]:>11}" for column in columns))
    return "\n".join(lines)


def notes(outcomes: Iterable[Outcome]) -> str:
    """Everything that was not a plain pass, one line each."""
    lines = []
    for outcome in outcomes:
        if outcome.verdict in (Verdict.FAILED, Verdict.BLOCKED):
            lines.append(f"{outcome.verdict.value}: {outcome.call.label()} ({outcome.call.response or 'no sample'})")
            lines.extend(f"    {detail}" for detail in outcome.details)
        if outcome.note:
            lines.append(f"note: {outcome.call.label()}: {outcome.note}")
    return "\n".join(lines)
