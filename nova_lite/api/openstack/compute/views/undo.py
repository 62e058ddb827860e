"""Views of old versions: the newest shape is built once, then walked back one microversion at a time.

A step says since when its part is there and how to take it away again: one step, one microversion, one line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from nova_lite.api.openstack.microversions import Microversion, at

View = dict[str, Any]
Undo = Callable[[View, Any], Any]
Step = tuple[Microversion, Undo]


def step(since: str, undo: Undo) -> Step:
    return at(since), undo


def drop(*names: str) -> Undo:
    """Take keys away, where they are."""

    def undo(view: View, maker: Any) -> None:
        for name in names:
            view.pop(name, None)

    return undo


class History:
    """The steps of one shape, newest first."""

    def __init__(self, *steps: Step) -> None:
        self._steps: Sequence[Step] = steps
        self._needed = lru_cache(maxsize=256)(self._newer_than)

    def walk_back(self, view: View, version: Microversion, maker: Any = None) -> View:
        """``view`` as a client of ``version`` knows it, changed in place; ``maker`` is what a step may need besides."""
        for undo in self._needed(version):
            undo(view, maker)
        return view

    def _newer_than(self, version: Microversion) -> tuple[Undo, ...]:
        return tuple(undo for since, undo in self._steps if since > version)
