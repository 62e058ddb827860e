"""The one small runner of long procedures: steps in order, each recorded when done, undone in reverse on failure."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nova_lite import exception

LOG = logging.getLogger(__name__)


class NotNow(Exception):
    """The work can neither be ended nor undone now: it is tried again. Its cause says why."""


@dataclass(frozen=True)
class Step:
    """``do`` is idempotent, returns the server's fields to write with the record; ``undo`` stands an undone ``do``.

    ``lasts``: what it makes is a neighbour's, who keeps it until it is undone; what stays on this host is found there
    by its generation.
    """

    name: str
    do: Callable[[], dict[str, Any]]
    undo: Callable[[], None]
    lasts: bool = False


def run(steps: Sequence[Step], record: Callable[[str, dict[str, Any]], None], what: str) -> None:
    """Do all steps, or leave nothing: the error of the first that fails (or of its record) is raised after the undoing.

    The failing step is undone too, as it may have done half of its work. A service that stops undoes nothing: the work
    goes on when it is back.

    :raises NotNow: a step failed, the cause, and something lasting could not be undone. Who was overtaken hears that.
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
    except exception.StaleWrite:
        unwind(begun, what)
        raise
    except BaseException as error:
        if not unwind(begun, what) and isinstance(error, Exception):
            raise NotNow from error
        raise


def unwind(begun: Sequence[Step], what: str) -> bool:
    """Undo in reverse; an undo that fails is logged and the others go on. Whether nothing is left that lasts."""
    failed = []
    for step in reversed(begun):
        try:
            step.undo()
        except exception.StaleWrite as error:
            LOG.info("%s: step %s is somebody else's to undo: %s", what, step.name, error)
            failed.append(step)
        except Exception:
            LOG.exception("%s: step %s could not be undone", what, step.name)
            failed.append(step)
    return not any(step.lasts for step in failed)
