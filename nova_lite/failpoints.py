"""Failpoints: named moments at which a test may stop, delay or break this process.

Nothing is armed in production, and a point that is not armed costs one look at a global: its name is not even put
together. There is a point before and after each durable write and each message; tests put more before and after each
call of a driver and each request to a neighbour. So every operation passes all kinds of them without naming one. The
registry of all of them is tests/harness/failpoints/points.py.
"""

from __future__ import annotations

from collections.abc import Callable

Hook = Callable[[str], None]

_hook: Hook | None = None


def arm(hook: Hook) -> None:
    """From now on ``hook`` is called with the name of each point that is passed; what it raises, the point raises."""
    global _hook
    _hook = hook


def disarm() -> None:
    """Nothing happens at points any more."""
    global _hook
    _hook = None


def hit(*parts: str) -> None:
    """This moment is reached. Its name is the parts with dots between: ``hit("call", "progress", "before")``."""
    if _hook is not None:
        _hook(".".join(parts))
