"""The page of stock tempest's results, from the JSON documents that two runs leave.

    python -m tests.harness.tempest --json tests/harness/tempest_runs/unset.json
    python -m tests.harness.tempest --min-microversion 2.96 --json tests/harness/tempest_runs/2.96.json
"""

from __future__ import annotations

import json
import pathlib
from typing import Any

RUNS = pathlib.Path(__file__).resolve().parents[1] / "tests" / "harness" / "tempest_runs"
NAMES = ("unset", "2.96")

Run = dict[str, dict[str, Any]]


def tables() -> tuple[str, list[tuple[str, list[tuple[str, ...]]]]]:
    """A sentence, and the tables by title, each with its header first."""
    runs = {name: json.loads((RUNS / f"{name}.json").read_text("utf-8")) for name in NAMES}
    said = (
        "Stock tempest 47.0.0 against the embedded cloud with two fake hosts, the classes of the contract, with "
        "`max_microversion = latest` and two values of `min_microversion`. Classes marked proxy test calls that only "
        "forward to other services, which nova-lite answers with 404; they are not asked for."
    )
    return said, [("Tests by class", _classes(runs)), ("What did not pass, and why", _reasons(runs))]


def _classes(runs: dict[str, Run]) -> list[tuple[str, ...]]:
    head = ("class", "listed", *(f"passed / failed / skipped, {name}" for name in runs), "real Nova")
    rows: list[tuple[str, ...]] = [head]
    first = next(iter(runs.values()))
    for name, row in first.items():
        short = name.removeprefix("tempest.api.compute.") + (" (proxy)" if row["proxy"] else "")
        rows.append((short, str(row["listed"]), *(_counts([run[name]]) for run in runs.values()), row["peer"]))
    for title, is_proxy in (("asked for", False), ("proxies", True)):
        kept = [[each for each in run.values() if each["proxy"] == is_proxy] for run in runs.values()]
        listed = str(sum(row["listed"] for row in kept[0]))
        rows.append((f"**{title}**", listed, *(_counts(each) for each in kept), ""))
    return rows


def _counts(rows: list[dict[str, Any]]) -> str:
    return " / ".join(str(sum(row[key] for row in rows)) for key in ("passed", "failed", "skipped"))


def _reasons(runs: dict[str, Run]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("min_microversion", "test", "reason")]
    for name, run in runs.items():
        for test, row in run.items():
            if row["proxy"]:
                continue
            for each, reason in row["reasons"].items():
                why = row["arguments"].get(each, reason[:200])
                rows.append((name, f"{test.rpartition('.')[2]}.{each}", why))
    return rows
