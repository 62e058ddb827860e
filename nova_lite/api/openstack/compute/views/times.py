"""The two ways answers write times (contract states.md, section 6); stored times are naive UTC."""

from __future__ import annotations

import datetime


def zulu(moment: datetime.datetime | None) -> str | None:
    """``2026-11-20T17:47:32Z``, no fraction."""
    return None if moment is None else f"{moment.isoformat(timespec='seconds')}Z"


def micro(moment: datetime.datetime | None) -> str | None:
    """``2026-11-20T17:47:44.563380``: microseconds, no zone."""
    return None if moment is None else moment.isoformat(timespec="microseconds")
