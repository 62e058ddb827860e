"""The guards as data: each row of ``rows/*.toml`` names one, what it protects, how it is removed and who must see it.

A row has ``name``, ``protects`` (one sentence), ``invariants`` (I1-I12) and ``scenarios`` (R1-R36) of RELIABILITY.md,
``file``, ``old`` (text that stands in the file exactly once), ``new`` (the same without the guard) and ``tests``: the
tests of which each must go red.
"""

from __future__ import annotations

import hashlib
import pathlib
import tomllib
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[3]
ROWS = pathlib.Path(__file__).resolve().parent / "rows"


@dataclass(frozen=True)
class Guard:
    """``room`` is the stem of the file that the row stands in."""

    room: str
    name: str
    protects: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    invariants: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """What a result is a result of: another removal or another test needs another run."""
        return hashlib.sha256("\0".join([self.file, self.old, self.new, *self.tests]).encode()).hexdigest()[:12]

    def remove(self, tree: pathlib.Path) -> str:
        """Take the guard out of a copy of the tree; the file's former text.

        :raises ValueError: the old text is not there exactly once.
        """
        path = tree / self.file
        text = path.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: the old text stands {text.count(self.old)} times in {self.file}")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")
        return text


def guards() -> list[Guard]:
    """Every row, by room and in the order of its file."""
    return [guard for path in sorted(ROWS.glob("*.toml")) for guard in _room(path)]


def titles() -> dict[str, str]:
    """Each room's title."""
    return {path.stem: tomllib.loads(path.read_text(encoding="utf-8"))["title"] for path in sorted(ROWS.glob("*.toml"))}


def _room(path: pathlib.Path) -> list[Guard]:
    lists = ("tests", "invariants", "scenarios")
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["guard"]
    return [
        Guard(path.stem, **{name: tuple(value) if name in lists else value for name, value in row.items()})
        for row in rows
    ]
