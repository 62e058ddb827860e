"""The one small runner of long procedures: steps in order, each recorded when done, undone in reverse on failure."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nova_lite import exception

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Step:
    """``do`` is idempotent, returns the server's fields to write with the record; ``undo`` stands an undone ``do``."""

    name: str
    do: Callable[[], dict[str, Any]]
    undo: Callable[[], None]


def run(steps: Sequence[Step], record: Callable[[str, dict[str, Any]], None], what: str) -> None:
    """Do all steps, or leave nothing: the error of the first that fails (or of its record) is raised after the undoing.

    The failing step is undone too, as it may have done half of its work. A service that stops undoes nothing: the work
    goes on when it is back.
    """
    begun: list[Step] = []
    try:
        for step in steps:
            started = time.monotonic()
            begun.append(step)
            values = step.do()
            record(step.name, values)
            LOG.info("%s: step %s took %.3f s", what, step.name, time.monotonic() - started)
    except exception.ServiceStopping:
        raise
    except BaseException:
        unwind(begun, what)
        raise


def unwind(begun: Sequence[Step], what: str) -> None:
    """Undo in reverse; an undo that fails is logged and the others go on."""
    for step in reversed(begun):
        try:
            step.undo()
        except Exception:
            LOG.exception("%s: step %s could not be undone", what, step.name)
