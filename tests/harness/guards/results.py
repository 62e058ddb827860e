"""What the last runs found, by the guard's name; a result is of a row as it was then (its fingerprint)."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterable
from typing import Any

from tests.harness.guards.table import guards
from tests.harness.guards.trial import Verdict

FILE = pathlib.Path(__file__).resolve().parent / "results.json"


def read(path: pathlib.Path = FILE) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def keep(path: pathlib.Path, verdicts: Iterable[Verdict]) -> None:
    """Write them beside what is known of rows that still stand, in the table's order."""
    found = read(path) | {verdict.guard.name: verdict.result() for verdict in verdicts}
    known = [guard.name for guard in guards()]
    text = json.dumps({name: found[name] for name in known if name in found}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
