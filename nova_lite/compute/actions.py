"""THE TABLE of server actions: what each needs, sets, does, ends in, and what a restart makes of it.

API check, policy, dispatch, busy and end state, restart rule, deadline, docs and tests all read the row.
Source of the states: contract states.md, section 2.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from nova_lite.compute.power_states import PowerState as P
from nova_lite.compute.task_states import TaskState as T
from nova_lite.compute.vm_states import VmState as V

ANY_STATE = frozenset(V) - {V.DELETED}
IDLE: frozenset[T | None] = frozenset({None})
ANY_TASK: frozenset[T | None] = frozenset({None, *T})


class Place(enum.StrEnum):
    """Who does the work: the API in its own transaction, any conductor, or the server's host."""

    API = "api"
    CONDUCTOR = "conductor"
    COMPUTE = "compute"


class OnRestart(enum.StrEnum):
    """What the next worker does with an operation whose worker died."""

    RESUME = "resume"
    FAIL = "fail"


@dataclass(frozen=True)
class Action:
    """One row. ``verb`` is the word in the 409; ``driver_call`` the method of the driver that does it.

    ``needs_launch``: 409 unless the server was active once. ``ignores_lock``: a lock does not stop it.
    ``timeout_s``: seconds after which the sweeper ends the operation; None: it is tried until it is done.
    ``max_retries``: workers that may die on it before it counts as poison. ``works_as``: the task once a host has it.
    ``event``: the name of its step on the host. ``reverts``: on failure the vm_state stays as it was, else the server
    goes to error.
    """

    name: str
    key: str | None
    verb: str
    place: Place
    vm_states: frozenset[V] = ANY_STATE
    task_states: frozenset[T | None] = IDLE
    sets_task: T | None = None
    works_as: T | None = None
    ends_in: V | None = None
    ends_power: P | None = None
    driver_call: str | None = None
    needs_launch: bool = True
    ignores_lock: bool = False
    reverts: bool = True
    on_restart: OnRestart = OnRestart.RESUME
    max_retries: int = 3
    timeout_s: int | None = 300
    requires: str | None = None
    since: str = "2.1"
    until: str | None = None
    event_name: str | None = None

    @property
    def event(self) -> str:
        return self.event_name or f"compute_{self.name}_instance"


def _states(*names: V) -> frozenset[V]:
    return frozenset(names)


_HARD_TASKS: frozenset[T | None] = frozenset(
    {
        None,
        T.REBOOTING,
        T.REBOOT_PENDING,
        T.REBOOT_STARTED,
        T.REBOOTING_HARD,
        T.RESUMING,
        T.PAUSING,
        T.UNPAUSING,
        T.SUSPENDING,
    }
)

CREATE = Action(
    "create", None, "create", Place.CONDUCTOR, _states(V.BUILDING), sets_task=T.SCHEDULING,
    works_as=T.NETWORKING, ends_in=V.ACTIVE, ends_power=P.RUNNING, driver_call="spawn", needs_launch=False,
    reverts=False, timeout_s=1800, max_retries=5, event_name="compute__do_build_and_run_instance",
)  # fmt: skip
DELETE = Action(
    "delete", None, "delete", Place.COMPUTE, task_states=ANY_TASK, sets_task=T.DELETING, ends_in=V.DELETED,
    driver_call="destroy", needs_launch=False, reverts=False, timeout_s=None,
    event_name="compute_terminate_instance",
)  # fmt: skip
FORCE_DELETE = Action(
    "forceDelete", "forceDelete", "forceDelete", Place.COMPUTE, task_states=ANY_TASK, sets_task=T.DELETING,
    ends_in=V.DELETED, driver_call="destroy", needs_launch=False, reverts=False, timeout_s=None,
    event_name="compute_terminate_instance",
)  # fmt: skip
START = Action(
    "start", "os-start", "start", Place.COMPUTE, _states(V.STOPPED), sets_task=T.POWERING_ON, ends_in=V.ACTIVE,
    ends_power=P.RUNNING, driver_call="power_on", requires="power",
)  # fmt: skip
STOP = Action(
    "stop", "os-stop", "stop", Place.COMPUTE, _states(V.ACTIVE, V.ERROR), sets_task=T.POWERING_OFF,
    ends_in=V.STOPPED, ends_power=P.SHUTDOWN, driver_call="power_off", requires="power",
)  # fmt: skip
REBOOT_SOFT = Action(
    "reboot", "reboot", "reboot", Place.COMPUTE, _states(V.ACTIVE), sets_task=T.REBOOTING,
    works_as=T.REBOOT_STARTED, ends_in=V.ACTIVE, ends_power=P.RUNNING, driver_call="reboot", requires="power",
)  # fmt: skip
REBOOT_HARD = Action(
    "reboot", "reboot", "reboot", Place.COMPUTE, _states(V.ACTIVE, V.STOPPED, V.PAUSED, V.SUSPENDED, V.ERROR),
    task_states=_HARD_TASKS, sets_task=T.REBOOTING_HARD, works_as=T.REBOOT_STARTED_HARD, ends_in=V.ACTIVE,
    ends_power=P.RUNNING, driver_call="reboot", requires="power",
)  # fmt: skip
PAUSE = Action(
    "pause", "pause", "pause", Place.COMPUTE, _states(V.ACTIVE), sets_task=T.PAUSING, ends_in=V.PAUSED,
    ends_power=P.PAUSED, driver_call="pause", requires="pause",
)  # fmt: skip
UNPAUSE = Action(
    "unpause", "unpause", "unpause", Place.COMPUTE, _states(V.PAUSED), sets_task=T.UNPAUSING, ends_in=V.ACTIVE,
    ends_power=P.RUNNING, driver_call="unpause", requires="pause",
)  # fmt: skip
SUSPEND = Action(
    "suspend", "suspend", "suspend", Place.COMPUTE, _states(V.ACTIVE), sets_task=T.SUSPENDING,
    ends_in=V.SUSPENDED, ends_power=P.SHUTDOWN, driver_call="suspend", requires="suspend",
)  # fmt: skip
RESUME = Action(
    "resume", "resume", "resume", Place.COMPUTE, _states(V.SUSPENDED), sets_task=T.RESUMING, ends_in=V.ACTIVE,
    ends_power=P.RUNNING, driver_call="resume", requires="suspend",
)  # fmt: skip
LOCK = Action("lock", "lock", "lock", Place.API, needs_launch=False, ignores_lock=True, task_states=ANY_TASK)
UNLOCK = Action("unlock", "unlock", "unlock", Place.API, needs_launch=False, ignores_lock=True, task_states=ANY_TASK)
RESET_STATE = Action(
    "resetState", "os-resetState", "resetState", Place.API, needs_launch=False, ignores_lock=True,
    task_states=ANY_TASK,
)  # fmt: skip
GET_CONSOLE_OUTPUT = Action(
    "getConsoleOutput", "os-getConsoleOutput", "get_console_output", Place.API, needs_launch=False,
    ignores_lock=True, task_states=ANY_TASK, requires="console",
)  # fmt: skip

ACTIONS: tuple[Action, ...] = (
    CREATE, DELETE, FORCE_DELETE, START, STOP, REBOOT_SOFT, REBOOT_HARD, PAUSE, UNPAUSE, SUSPEND, RESUME, LOCK,
    UNLOCK, RESET_STATE, GET_CONSOLE_OUTPUT,
)  # fmt: skip


def by_name(name: str, args: dict[str, object] | None = None) -> Action:
    """The row of an operation's action; a reboot's row depends on its type.

    :raises KeyError: no such action.
    """
    if name == "reboot":
        return REBOOT_HARD if (args or {}).get("type") == "HARD" else REBOOT_SOFT
    return _BY_NAME[name]


_BY_NAME = {action.name: action for action in ACTIONS}


@dataclass(frozen=True)
class Refusal:
    """Why a server's state forbids an action; ``attribute`` is vm_state, task_state or launched_at."""

    attribute: str
    state: str


def refusal(action: Action, vm_state: str, task_state: str | None, launched: bool) -> Refusal | None:
    """None when the row allows it; vm_state is judged before task_state, that before the launch, as Nova does."""
    if V(vm_state) not in action.vm_states:
        return Refusal("vm_state", vm_state)
    if (T(task_state) if task_state else None) not in action.task_states:
        return Refusal("task_state", task_state or "None")
    if action.needs_launch and not launched:
        return Refusal("launched_at", "None")
    return None
