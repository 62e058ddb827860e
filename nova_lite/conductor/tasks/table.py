"""What a conductor does when an operation's turn is its own, by the action's name."""

from __future__ import annotations

from collections.abc import Callable

from nova_lite.compute import actions
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.conductor import journal
from nova_lite.conductor.tasks import cold
from nova_lite.conductor.tasks.build import BuildTask
from nova_lite.conductor.tasks.unshelve import UnshelveTask
from nova_lite.context import RequestContext
from nova_lite.objects import Operation
from nova_lite.scheduler.api import API as SchedulerAPI

Task = Callable[[RequestContext, Operation], None]


def tasks(scheduler: SchedulerAPI, compute: ComputeRpcAPI) -> dict[str, Task]:
    """The conductor's part of each action that has one."""
    return {
        actions.CREATE.name: BuildTask(scheduler, compute).execute,
        actions.DELETE.name: _Delete(compute).without_host,
        actions.FORCE_DELETE.name: _Delete(compute).without_host,
        actions.RESIZE.name: cold.ColdMoveTask(scheduler, compute).execute,
        actions.MIGRATE.name: cold.ColdMoveTask(scheduler, compute).execute,
        actions.CONFIRM_RESIZE.name: cold.confirm,
        actions.REVERT_RESIZE.name: cold.RevertTask(compute).execute,
        actions.UNSHELVE.name: UnshelveTask(scheduler, compute).execute,
    }


class _Delete:
    def __init__(self, compute: ComputeRpcAPI) -> None:
        self._compute = compute

    def without_host(self, ctxt: RequestContext, operation: Operation) -> None:
        """A dead host cleans up when it is back; the next one that has something of the server has its turn."""
        rest = operation.args.get("also", [])
        if not rest:
            journal.finish_delete(operation.id, operation.attempt)
            return
        journal.hand_over(operation.id, operation.attempt, "rest", rest[0], {}, {"also": rest[1:]})
        self._compute.run_operation(ctxt, rest[0], operation.id)
