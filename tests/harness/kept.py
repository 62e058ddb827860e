"""Records of what daemons of the former release speak: written anew only where a version tells them of the change."""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from collections.abc import Callable
from typing import Any

Record = dict[str, Any]


def refresh(
    file: pathlib.Path, current: Callable[[], Record], complaints: Callable[[Record, Record], list[str]]
) -> int:
    """The command of a record: its exit status, 1 where something changed and no version says so."""
    parser = argparse.ArgumentParser(description=f"Write {file.name}.")
    parser.add_argument("--unreleased", action="store_true", help="write although nobody was told by a version")
    options = parser.parse_args()
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    now = current()
    wrong = complaints(kept, now)
    if wrong and not options.unreleased:
        print("\n".join(wrong), file=sys.stderr)
        return 1
    file.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    return 0
