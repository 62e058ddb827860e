"""nova-lite-manage operation: what was accepted, what became of it, and what an operator can do about it."""

from __future__ import annotations

import argparse
import datetime
from typing import Any

from oslo_config import cfg

from nova_lite import exception
from nova_lite.cmd import startup
from nova_lite.cmd.manage.answer import Answer, Noun, table
from nova_lite.compute import actions
from nova_lite.conductor.tasks import recover
from nova_lite.db import clock
from nova_lite.db.api import operation_survey
from nova_lite.objects import OPEN_STATES, Operation, OperationState

_COLUMNS = ("id", "action", "server", "state", "turn", "attempt", "deaths", "rests", "age_s", "message")
_LONGEST_MESSAGE = 80


def add(whats: Any) -> None:
    noun = Noun(whats, "operation", "accepted requests")
    listing = noun.verb("list", list_some, "List operations that are open (or failed), oldest first.")
    which = listing.add_mutually_exclusive_group()
    which.add_argument("--open", action="store_true", help="those that have not ended; the default")
    which.add_argument("--failed", action="store_true", help="those that failed, and why")
    listing.add_argument("--server", metavar="ID", help="of one server")
    listing.add_argument("--older-than", type=_seconds, metavar="S", help="accepted at least so many seconds ago")
    listing.add_argument("--limit", type=_number, default=1000, metavar="N", help="at most so many (%(default)s)")
    for name, run, text in (
        ("show", show, "Show one operation with its steps."),
        ("retry", retry, "Let an operation that rests be tried now, with its whole time before it again."),
        ("cancel", cancel, "End an open operation as failed; what is half done is undone. Not a delete."),
    ):
        noun.verb(name, run, text).add_argument("id", type=_number, help="the operation's number")


def _number(text: str) -> int:
    """What a database can count to."""
    number = int(text)
    if not 1 <= number < 2**63:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and 2**63 - 1")
    return number


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < 1e9:
        raise argparse.ArgumentTypeError("between 0 and 1e9")
    return seconds


def list_some(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Answer:
    startup.open_database(conf)
    now = clock.now()
    before = None if args.older_than is None else now - datetime.timedelta(seconds=args.older_than)
    states = (OperationState.FAILED,) if args.failed else OPEN_STATES
    found = operation_survey.search(states, instance_uuid=args.server, before=before, limit=args.limit)
    rows = [_row(operation, now) for operation in found]
    short = [{**row, "message": _short(row["message"])} for row in rows]
    return Answer(rows, table(short, _COLUMNS))


def show(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Answer:
    """:raises NotFound: no such operation; :raises UnreadableObject: it is poison, and ends by itself."""
    startup.open_database(conf)
    operation = operation_survey.one(args.id)
    facts = _row(operation, clock.now())
    # What a request says of passwords and keys is nobody's business here.
    facts["arguments"] = sorted(operation.args)
    facts["done_steps"] = list(operation.steps)
    facts["events"] = [
        {
            "name": event.name, "host": event.host, "result": event.result, "start_time": _time(event.start_time),
            "finish_time": _time(event.finish_time), "traceback": event.traceback,
        }
        for event in operation.events
    ]  # fmt: skip
    lines = [f"{name}: {'-' if value is None else value}" for name, value in facts.items() if name != "events"]
    steps = table(facts["events"], ("name", "host", "result", "start_time", "finish_time"))
    return Answer(facts, "\n".join([*lines, "", steps]))


def retry(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Answer:
    """:raises NotFound: no such operation; :raises Conflict: it has ended, or somebody works on it."""
    startup.open_database(conf)
    operation = _open(args.id)
    row = actions.BY_NAME[operation.action]
    deadline = None if row.timeout_s is None else clock.now() + datetime.timedelta(seconds=row.timeout_s)
    if not operation_survey.hurry(operation, deadline):
        raise exception.Conflict(f"Operation {operation.id} is being worked on.")
    return Answer({"id": operation.id}, f"Operation {operation.id} is tried as soon as somebody looks.")


def cancel(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Answer:
    """:raises NotFound: no such operation; :raises Conflict: it has ended, or nothing may stop it."""
    startup.open_database(conf)
    operation = _open(args.id)
    try:
        recover.cancelled(operation)
    except exception.StaleWrite as error:
        raise exception.Conflict(f"Operation {operation.id} went on meanwhile; look again.") from error
    return Answer({"id": operation.id}, f"Operation {operation.id} ends; see operation show {operation.id}.")


def _open(operation_id: int) -> Operation:
    operation = operation_survey.one(operation_id)
    if operation.state not in OPEN_STATES:
        told = f"Operation {operation_id} has ended ({operation.state})"
        if operation.state is OperationState.DONE:
            raise exception.Conflict(f"{told}: what was asked for was done, and there is nothing left to do.")
        raise exception.Conflict(f"{told}, and its user was told. The request must be made anew.")
    return operation


def _row(operation: Operation, now: datetime.datetime) -> dict[str, Any]:
    turn = operation.topic if operation.host is None else f"{operation.topic}.{operation.host}"
    age_s = None if operation.start_time is None else int((now - operation.start_time).total_seconds())
    return {
        "id": operation.id, "action": operation.action, "server": operation.instance_uuid,
        "request_id": operation.request_id, "project_id": operation.project_id, "state": str(operation.state),
        "turn": turn, "stage": operation.args.get("stage"), "owner": operation.owner, "attempt": operation.attempt,
        "deaths": operation.retries, "rests": operation.rests, "age_s": age_s,
        "start_time": _time(operation.start_time), "finish_time": _time(operation.finish_time),
        "deadline": _time(operation.deadline), "not_before": _time(operation.lease_until),
        "message": operation.message,
    }  # fmt: skip


def _time(when: datetime.datetime | None) -> str | None:
    return None if when is None else when.isoformat(timespec="seconds")


def _short(text: str | None) -> str | None:
    return text if text is None or len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 3] + "..."
