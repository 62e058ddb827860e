"""The page of the failpoint matrix, from the summary that a run leaves.

    python -m tests.harness.failpoints.matrix --json FILE --jobs 2
    python -m tests.harness.failpoints.matrix --json FILE --publish
"""

from __future__ import annotations

import collections
import json
import pathlib
from typing import Any

SUMMARY = pathlib.Path(__file__).resolve().parents[1] / "tests" / "harness" / "failpoints" / "results.json"
KINDS = ("crash", "raise", "hang", "delay", "late")
FAMILIES = {
    "db": "durable writes: a point before and one after each commit",
    "call": "RPC calls: before each and after its answer",
    "cast": "RPC casts, which only wake",
    "driver": "calls of the hypervisor's driver that change something",
    "network": "requests to the network service; one that only reads is one point",
    "volume": "requests to the volume service, likewise",
    "image": "requests to the image service, likewise",
}

TEXT = """\
A cell is an operation, one moment that it passes (the n-th time that the API, a conductor or a host passes a point) and
what happens there:

- crash: the service dies there, and another life of it starts;
- raise: what it was about to do, or had just done, fails;
- hang: the thread stands still past its lease, and goes on when somebody else has done its work;
- delay: it takes longer, within the lease;
- late: the answer of a commit is lost, which is noticed when everybody else is done with what it accepted.

Afterwards the oracle judges journal, books, hypervisors and neighbours, and once more when everything is deleted. There
is no hang before a commit: on SQLite who stands there holds the only write lock, and stops everybody."""

Table = tuple[str, list[tuple[str, ...]]]
# Cells existing, run, of these struck, of these bad.
Counts = collections.Counter[str]


def tables() -> tuple[str, list[Table]]:
    """A sentence, and the tables by title, each with its header first."""
    found = json.loads(SUMMARY.read_text("utf-8"))
    by_family, by_point, total = _counted(found["cells"])
    facts = found["facts"]
    points = len({point for point, _ in by_point})
    said = (
        f"Cells run / cells existing: **{total['run']} / {total['existing']}**, of {len(found['cells'])} operations "
        f"at {points} points; the moment came in {total['struck']} of them (some come only by chance), "
        f"and the oracle found fault with **{total['bad']}**.\n\n"
        f"{TEXT}\n\nA point that nobody armed costs {facts['unarmed_ns']:.0f} ns. The cells "
        f"took {facts['seconds'] / 60:.0f} minutes, added up." + _limits(found["limits"], found["cells"])
    )
    return said, [
        ("What stands behind the doors", [("point", "what it is"), *FAMILIES.items()]),
        ("By operation and point", _operations(by_family)),
        ("By point", _points(by_point)),
    ]


def _limits(limits: dict[str, str], cells: dict[str, Any]) -> str:
    """What is known of the operations with bad cells."""
    bad = [name for name in limits if any(row[3] for kinds in cells.get(name, {}).values() for row in kinds.values())]
    return "\n\nKnown, and not mended:\n\n" + "\n".join(f"- {name}: {limits[name]}." for name in bad) if bad else ""


def _counted(cells: dict[str, Any]) -> tuple[dict[tuple[str, str, str], Counts], dict[tuple[str, str], Counts], Counts]:
    """By operation, family and kind; by point and kind (and operations); of all."""
    by_family: dict[tuple[str, str, str], Counts] = collections.defaultdict(collections.Counter)
    by_point: dict[tuple[str, str], Counts] = collections.defaultdict(collections.Counter)
    total: Counts = collections.Counter()
    for operation, points in cells.items():
        for place, by_kind in points.items():
            point = place.partition("/")[2]
            for kind, numbers in by_kind.items():
                counts = collections.Counter(dict(zip(("existing", "run", "struck", "bad"), numbers, strict=True)))
                by_family[operation, point.partition(".")[0], kind] += counts
                by_point[point, kind] += counts
                total += counts
    return by_family, by_point, total


def _operations(by_family: dict[tuple[str, str, str], Counts]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("operation", "point", *KINDS)]
    for operation in dict.fromkeys(key[0] for key in by_family):
        each = {family: [by_family.get((operation, family, kind)) for kind in KINDS] for family in FAMILIES}
        rows += [(operation, family, *map(_shown, counts)) for family, counts in each.items() if any(counts)]
    return rows


def _points(by_point: dict[tuple[str, str], Counts]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("point", *KINDS)]
    for point in sorted({key[0] for key in by_point}):
        rows.append((f"`{point}`", *(_shown(by_point.get((point, kind))) for kind in KINDS)))
    return rows


def _shown(counts: Counts | None) -> str:
    """``run / existing``, and how many of them were bad."""
    if not counts:
        return ""
    bad = f" ({counts['bad']} bad)" if counts["bad"] else ""
    return f"{counts['run']} / {counts['existing']}{bad}"
