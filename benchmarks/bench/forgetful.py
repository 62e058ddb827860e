"""nova-lite-all-in-one with a journal that costs nothing and promises nothing: the other half of a comparison.

What Nova writes too stays in the database: the accepted action, its events, its end. What nova-lite writes besides
(who works on it, which attempt, until when, which steps are done, whose turn it is) is kept in this process's memory:

    python -m bench.forgetful --config-file FILE
"""

from __future__ import annotations

import datetime
import sys
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from nova_lite import concurrency

concurrency.patch()

from nova_lite.clock import utcnow  # noqa: E402  after patch(), as in every cmd
from nova_lite.cmd import all_in_one  # noqa: E402
from nova_lite.db.api import operation_rows, operations  # noqa: E402
from nova_lite.db.session import writer  # noqa: E402
from nova_lite.objects import OPEN_STATES, Operation, OperationState  # noqa: E402

_known: dict[int, dict[str, Any]] = {}
_lock = threading.RLock()
_stored = operation_rows.from_row


def remembered(row: Any, events: Any = ()) -> Operation:
    """The operation of a row, with what only memory knows of it."""
    operation = _stored(row, events)
    return operation.replace(**_known.get(operation.id, {}))


def take(operation_id: int, owner: str, lease_s: float, topic: str, host: str | None) -> Operation | None:
    with _lock:
        found = operations.get(operation_id)
        if (found.state, found.topic, found.host) != (OperationState.PENDING, topic, host):
            return None
        lease = utcnow() + datetime.timedelta(seconds=lease_s)
        _remember(found.id, state=OperationState.RUNNING, owner=owner, attempt=found.attempt + 1, lease_until=lease)
        return operations.get(operation_id)


def change(operation_id: int, attempt: int, values: Mapping[str, Any]) -> bool:
    """Every write that proves its attempt comes through here."""
    with _lock:
        known = _known.get(operation_id, {})
        if (known.get("state"), known.get("attempt")) != (OperationState.RUNNING, attempt):
            return False
        new = {name: tuple(value) if name == "steps" else value for name, value in values.items() if name != "said"}
        new["state"] = OperationState(new.get("state", OperationState.RUNNING))
        _remember(operation_id, **new)
    if new["state"] not in OPEN_STATES:
        _write_end(operation_id)
    return True


def pause(operation_id: int, attempt: int, seconds: float, message: str) -> None:
    """It may be taken again at once."""
    operations.hold(operation_id, attempt, state=OperationState.PENDING, owner=None, lease_until=None, message=message)


def _remember(operation_id: int, **values: Any) -> None:
    _known.setdefault(operation_id, {}).update(values)


def _write_end(operation_id: int) -> None:
    known = _known[operation_id]
    ended = {name: known.get(name) for name in ("message", "finish_time")}
    with writer() as session:
        session.execute(
            operations._T.update()
            .where(operations._T.c.id == operation_id)
            .values(state=str(known["state"]), attempt=known["attempt"], updated_at=utcnow(), **ended)
        )


def renew(owner: str, ids: Iterable[int], lease_s: float) -> list[int]:
    return []


def main() -> int:
    operations.from_row = operation_rows.from_row = remembered
    operations.take, operations._change, operations.renew, operations.pause = take, change, renew, pause
    return all_in_one.main()


if __name__ == "__main__":
    sys.exit(main())
