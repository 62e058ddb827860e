"""Pages of measurements: nova-lite beside real Nova, from the JSON documents that a run leaves.

    python -m benchmarks --all --json benchmarks/figures.json      and then ``make docs``
"""

from __future__ import annotations

import json
import pathlib
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[1]
FIGURES = ROOT / "benchmarks" / "figures.json"

# Rows of the page: what is asked, and the figure of each column.
_REQUESTS = (
    "GET /v2.1/ (discovery)", "GET /servers, none", "GET /servers, 100", "GET /servers/detail, 100",
    "GET /servers/{id}", "GET /flavors/detail",
)  # fmt: skip
_LIFE = (
    "POST accepted s", "POST to ACTIVE s", "DELETE to 404 s", "100 POSTs at once: all accepted s",
    "100 POSTs at once: all ACTIVE s", "100 at once: all deleted s", "min_count=50: all ACTIVE s",
    "min_count=50: all deleted s", "start to first GET /servers s", "start to compute up s",
    "GET /servers/detail, 10 p50 ms at 1", "GET /servers/detail, 100 p50 ms at 1",
    "GET /servers/detail, 1000 p50 ms at 1", "memory idle PSS MiB", "memory after load PSS MiB",
)  # fmt: skip
_SIZES = (1000, 100_000)

Figures = dict[str, dict[str, Any]]


def tables() -> tuple[str, list[tuple[str, list[tuple[str, ...]]]]]:
    """A sentence about the run, and the tables by title, each with its header first."""
    document = json.loads(FIGURES.read_text("utf-8"))
    figures = {each["name"]: each for each in document["figures"]}
    machine = document["machine"]
    said = (
        f"Measured on {machine['cpus']} processors with Python {machine['python']}; the machine's load was "
        f"{machine['load']:.1f} when the run ended. Nova's column is the design card's: Nova 34.0.0 with the fake "
        "driver on the same kind of machine. A dash: nobody measured it."
    )
    return said, [
        ("Requests, one process", _requests(figures)),
        ("Life of a server, fake driver", _life(figures)),
        *_if_measured("What the journal costs: the same with writes that only memory has", _journal(figures)),
        ("Pages of the server list, 100 rows a page, through the whole API over SQLite", _pages(figures)),
    ]


def _requests(figures: Figures) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        ("request", "Nova req/s at 1", "nova-lite at 1", "Nova at 16", "nova-lite at 16", "aim at 1 / 16"),
    ]
    for name in _REQUESTS:
        one, many = figures.get(f"{name} req/s at 1"), figures.get(f"{name} req/s at 16")
        aims = f"{_number(one, 'aim')} / {_number(many, 'aim')}"
        rows.append(
            (name, _number(one, "nova"), _number(one), _number(many, "nova"), _number(many), aims)
        )  # fmt: skip
    return rows


def _life(figures: Figures) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("what", "Nova", "nova-lite", "times better", "aim")]
    for name in _LIFE:
        figure = figures.get(name)
        better = _number(figure, "times_better_than_nova")
        rows.append((name, _number(figure, "nova"), _number(figure), better, _number(figure, "aim")))
    return rows


def _if_measured(title: str, rows: list[tuple[str, ...]]) -> list[tuple[str, list[tuple[str, ...]]]]:
    """The table, unless the run left that part out."""
    return [(title, rows)] if len(rows) > 1 else []


def _journal(figures: Figures) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("what", "with the journal", "without", "ratio")]
    prefix = "journal over none: "
    for name, ratio in figures.items():
        if name.startswith(prefix):
            what = name.removeprefix(prefix)
            given, bare = figures[f"journal: {what}"], figures[f"no journal: {what}"]
            rows.append((what, _number(given), _number(bare), f"{ratio['value']:.2f}"))
    return rows


def _pages(figures: Figures) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        ("page", *(f"{size:,} servers: ms (processor ms)" for size in _SIZES), "statements"),
    ]
    prefix = f"list of {_SIZES[0]}: "
    for name in figures:
        if not name.startswith(prefix):
            continue
        case = name.removeprefix(prefix)
        each = [figures[f"list of {size}: {case}"] for size in _SIZES]
        costs = (f"{figure['value']:.1f} ({figure['detail']['cpu_ms']:.1f})" for figure in each)
        statements = " / ".join(str(figure["detail"]["statements"]) for figure in each)
        rows.append((case.removesuffix(" ms"), *costs, statements))
    return rows


def _number(figure: dict[str, Any] | None, key: str = "value") -> str:
    value = figure[key] if figure else None
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
