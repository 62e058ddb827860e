"""What a verb answers, and how it is shown."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from oslo_config import cfg


@dataclass(frozen=True)
class Answer:
    """``facts`` for programs (JSON), ``text`` for people, ``code`` for the shell."""

    facts: Any
    text: str
    code: int = 0


Run = Callable[[cfg.ConfigOpts, argparse.Namespace], Answer]


class Noun:
    """The verbs of one noun; each takes ``--json``."""

    def __init__(self, whats: Any, name: str, text: str) -> None:
        self._verbs = whats.add_parser(name, help=text).add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(self, name: str, run: Run, text: str) -> argparse.ArgumentParser:
        """Its arguments may be added to what is returned."""
        return add(self._verbs, name, run, text)


def add(parsers: Any, name: str, run: Run, text: str) -> argparse.ArgumentParser:
    """A command that answers with ``run``."""
    found: argparse.ArgumentParser = parsers.add_parser(name, help=text, description=text)
    found.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="answer in JSON")
    found.set_defaults(run=run)
    return found


def table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> str:
    """Columns that line up, for people; None is a dash."""
    cells = [[name.replace("_", " ").capitalize() for name in columns]]
    cells += [[str(row[name] if row[name] is not None else "-") for name in columns] for row in rows]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join(lines)
