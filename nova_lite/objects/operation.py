"""Operation: one accepted request, which is also Nova's instance action; its events are the steps."""

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass, field
from typing import Any, ClassVar

from nova_lite.objects.base import TravellingObject


class OperationState(enum.StrEnum):
    """PENDING waits for a worker, RUNNING has a lease, DONE and FAILED are final."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


OPEN_STATES = (OperationState.PENDING, OperationState.RUNNING)


@dataclass(frozen=True)
class OperationEvent(TravellingObject):
    """One step; ``name`` is as Nova's event (``compute__do_build_and_run_instance``); ``result`` Success or Error."""

    name: str
    start_time: datetime.datetime
    finish_time: datetime.datetime | None = None
    result: str | None = None
    traceback: str | None = None
    host: str | None = None
    details: str | None = None


@dataclass(frozen=True)
class Operation(TravellingObject):
    """An accepted request and how far it got.

    ``topic`` and ``host`` say whose turn it is: ``conductor`` (any) or ``compute`` on one host. ``attempt`` rises with
    each take: a worker whose attempt is not the row's writes nothing. ``retries`` counts the workers that died on it
    since the turn last passed on, ``rests`` how often it was put down since. ``steps`` are the names of finished steps.
    """

    VERSION: ClassVar[str] = "1.1"

    id: int
    request_id: str
    instance_uuid: str
    action: str
    project_id: str
    user_id: str
    state: OperationState
    topic: str
    host: str | None = None
    owner: str | None = None
    attempt: int = 0
    retries: int = 0
    rests: int = 0
    args: dict[str, Any] = field(default_factory=dict)
    steps: tuple[str, ...] = ()
    message: str | None = None
    verdict: dict[str, Any] | None = None
    start_time: datetime.datetime | None = None
    finish_time: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    lease_until: datetime.datetime | None = None
    deadline: datetime.datetime | None = None
    events: tuple[OperationEvent, ...] = ()

    def noted(self, step: str) -> str | None:
        """What stands behind these words in the name of a finished step; None where no step begins so."""
        return next((each.removeprefix(step) for each in self.steps if each.startswith(step)), None)
