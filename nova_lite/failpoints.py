"""Failpoints: named moments at which a test may stop, delay or break this process.

Nothing is armed in production, and a point that is not armed costs one look at a global. There is a point before and
after each durable write, each message and (where a test wraps the driver) each driver call, so that every operation
passes all kinds of them without naming one.
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


def hit(point: str) -> None:
    """This moment is reached."""
    if _hook is not None:
        _hook(point)
