"""What a conductor does when an operation's turn is its own, by the action's name."""

from __future__ import annotations

from collections.abc import Callable

from nova_lite.compute import actions
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.conductor import journal
from nova_lite.conductor.tasks.build import BuildTask
from nova_lite.context import RequestContext
from nova_lite.objects import Operation
from nova_lite.scheduler.api import API as SchedulerAPI

Task = Callable[[RequestContext, Operation], None]


def tasks(scheduler: SchedulerAPI, compute: ComputeRpcAPI) -> dict[str, Task]:
    """The conductor's part of each action that has one."""
    return {
        actions.CREATE.name: BuildTask(scheduler, compute).execute,
        actions.DELETE.name: _delete_without_host,
        actions.FORCE_DELETE.name: _delete_without_host,
    }


def _delete_without_host(ctxt: RequestContext, operation: Operation) -> None:
    journal.finish_delete(operation.id, operation.attempt)
