"""What a run of the failpoint matrix leaves: a diary of cells as they are run, and the summary that is published."""

from __future__ import annotations

import json
import pathlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.harness.failpoints.breaker import Kind, Moment
from tests.harness.failpoints.cells import Cell, Result, cells
from tests.harness.failpoints.scenarios import SCENARIOS

# Operations of which bad cells are known, and why they are not mended. Each is a debt.
LIMITS: dict[str, str] = {}
_NAMES = {scenario.name for scenario in SCENARIOS}
PUBLISHED = pathlib.Path(__file__).with_name("results.json")


def parse(text: str) -> Moment:
    """A moment as it prints itself."""
    service, _, rest = text.partition("/")
    point, _, nth = rest.rpartition("#")
    return Moment(point, service, int(nth))


@dataclass
class Diary:
    """Moments by operation and the newest result of each cell; with a file, each is appended to it as it comes."""

    path: pathlib.Path | None = None
    moments: dict[str, list[Moment]] = field(default_factory=dict)
    results: dict[Cell, Result] = field(default_factory=dict)

    def load(self) -> None:
        """What the file has already."""
        for line in self.path.read_text("utf-8").splitlines() if self.path and self.path.exists() else ():
            row = json.loads(line)
            if "moments" in row:
                self.moments[row["operation"]] = [parse(each) for each in row["moments"]]
            else:
                cell = Cell(row["operation"], parse(row["moment"]), Kind(row["kind"]))
                self.results[cell] = Result(cell, row["struck"], row["seconds"], row["complaints"])

    def passed(self, operation: str, moments: list[Moment]) -> None:
        self.moments[operation] = moments
        self._write({"operation": operation, "moments": [str(each) for each in moments]})

    def ran(self, result: Result) -> None:
        cell = result.cell
        self.results[cell] = result
        self._write(
            {"operation": cell.operation, "moment": str(cell.moment), "kind": cell.kind, "struck": result.struck,
             "seconds": round(result.seconds, 2), "complaints": result.complaints}
        )  # fmt: skip

    def todo(self, operations: Iterable[str], kinds: Iterable[Kind], every: int = 1) -> list[Cell]:
        """Cells that were not run, or went badly; of all cells only every so many.

        Those that went badly come first, the others in a disorder that is always the same.
        """
        wanted = tuple(kinds)
        found = [cell for name in operations for cell in list(cells(name, self.moments[name], wanted))[::every]]
        left = [cell for cell in found if cell not in self.results or self.results[cell].complaints]
        disorder = {cell: zlib.crc32(f"{cell.operation} {cell.moment} {cell.kind}".encode()) for cell in left}
        return sorted(left, key=lambda cell: (cell not in self.results, disorder[cell]))

    def summary(self) -> dict[str, dict[str, dict[str, list[int]]]]:
        """By operation, service and point, and kind: cells existing, run, of these struck, of these bad."""
        found: dict[str, dict[str, dict[str, list[int]]]] = {}
        for operation, moments in self.moments.items():
            points = found.setdefault(operation, {})
            for cell in cells(operation, moments, Kind):
                by_kind = points.setdefault(f"{cell.moment.service}/{cell.moment.point}", {})
                counts = by_kind.setdefault(cell.kind, [0, 0, 0, 0])
                result = self.results.get(cell)
                counts[0] += 1
                if result is not None:
                    counts[1] += 1
                    counts[2] += result.struck
                    counts[3] += bool(result.complaints)
        return found

    def _write(self, row: dict[str, object]) -> None:
        if self.path is not None:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")


def publish(summary: dict[str, dict[str, dict[str, list[int]]]], facts: dict[str, float]) -> None:
    """Write the summary, a line a point, with a few facts of the run; operations that it lacks stay as they are."""
    former = json.loads(PUBLISHED.read_text("utf-8"))
    summary = {name: points for name, points in former["cells"].items() if name in _NAMES} | summary
    lines = ["{", f'"facts": {json.dumps(facts)},', f'"limits": {json.dumps(LIMITS)},', '"cells": {']
    operations = []
    for operation, points in summary.items():
        short = {point: json.dumps(by_kind, separators=(",", ":")) for point, by_kind in points.items()}
        rows = [f"  {json.dumps(point)}: {by_kind}" for point, by_kind in short.items()]
        operations.append(f"{json.dumps(operation)}: {{\n" + ",\n".join(rows) + "}")
    PUBLISHED.write_text("\n".join([*lines, ",\n".join(operations), "}}"]) + "\n", encoding="utf-8")
