"""Figures, and how they are printed: one table for people, one JSON document for machines."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.peer import PEER, Peer


@dataclass(frozen=True)
class Figure:
    """One measured number. ``floor`` is the bare cost in the same run; ``detail`` what else was seen."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def peer(self) -> Peer:
        return PEER.get(self.name, Peer())

    @property
    def lower_is_better(self) -> bool:
        return not self.unit.endswith("/s")

    @property
    def better_than_nova(self) -> float | None:
        """How many times better than Nova's figure; None where there is none."""
        if not self.peer.nova or not self.value:
            return None
        return self.peer.nova / self.value if self.lower_is_better else self.value / self.peer.nova

    @property
    def floor_ratio(self) -> float | None:
        """How many times the floor's cost this costs."""
        if not self.floor or not self.value:
            return None
        return self.value / self.floor if self.lower_is_better else self.floor / self.value

    @property
    def reaches_aim(self) -> bool | None:
        if self.peer.aim is None:
            return None
        return self.value <= self.peer.aim if self.lower_is_better else self.value >= self.peer.aim


def machine() -> dict[str, Any]:
    """Where the figures come from."""
    return {"cpus": os.cpu_count(), "load": os.getloadavg()[0], "python": platform.python_version()}


def progress(text: str) -> None:
    """Say what takes long; on stderr, so that stdout stays the report."""
    print(f"... {text}", file=sys.stderr, flush=True)


def explained(main: Callable[[], int]) -> int:
    """Run a main(); what a person can mend ends in one sentence and exit code 1, not in a traceback."""
    try:
        return main()
    except (ValueError, RuntimeError, OSError) as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        return 1


def show(figures: Sequence[Figure], path: str | None = None) -> None:
    """Print the table; write the JSON document to ``path``, or to stdout for "-"."""
    rows: list[Sequence[str]] = [("figure", "unit", "here", "Nova", "times better", "aim", "", "x floor")]
    rows += [_row(figure) for figure in figures]
    print("\n".join(_aligned(rows)))
    if path:
        document = json.dumps({"machine": machine(), "figures": [_json(figure) for figure in figures]}, indent=1)
        if path == "-":
            print(document)
        else:
            Path(path).write_text(document + "\n", encoding="utf-8")


def _row(figure: Figure) -> tuple[str, ...]:
    verdict = {True: "reached", False: "missed", None: ""}[figure.reaches_aim]
    return (
        figure.name,
        figure.unit,
        _number(figure.value),
        _number(figure.peer.nova),
        _number(figure.better_than_nova),
        _number(figure.peer.aim),
        verdict,
        _number(figure.floor_ratio),
    )


def _json(figure: Figure) -> dict[str, Any]:
    return {
        **asdict(figure),
        "nova": figure.peer.nova,
        "aim": figure.peer.aim,
        "reaches_aim": figure.reaches_aim,
        "times_better_than_nova": figure.better_than_nova,
        "times_floor": figure.floor_ratio,
    }


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _aligned(rows: Iterable[Sequence[str]]) -> list[str]:
    rows = [list(row) for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        others = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *others]).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return lines
