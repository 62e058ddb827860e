"""THE TABLE of server actions: what each needs, sets, does, ends in, and what a restart makes of it.

API check, policy, dispatch, busy and end state, restart rule, deadline, docs and tests all read the row.
Source of the states: contract states.md, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass

from nova_lite.compute.action_row import ANY_STATE as ANY_STATE
from nova_lite.compute.action_row import IDLE as IDLE
from nova_lite.compute.action_row import Action as Action
from nova_lite.compute.action_row import Backoff as Backoff
from nova_lite.compute.action_row import OnRestart as OnRestart
from nova_lite.compute.action_row import Place as Place
from nova_lite.compute.action_row import Stage as Stage
from nova_lite.compute.power_states import PowerState as P
from nova_lite.compute.task_states import TaskState as T
from nova_lite.compute.vm_states import VmState as V
from nova_lite.objects.migration import MigrationStatus as M

# The argument of an operation that holds a password: it is forgotten when the operation ends.
ADMIN_PASSWORD = "admin_password"
ANY_TASK: frozenset[T | None] = frozenset({None, *T})


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

# A server that is moving, or waits for its confirmation, leaves something on another host, too.
_DELETE_STAGES = (Stage("rest", "compute_terminate_instance"),)

CREATE = Action(
    "create", None, "create", Place.CONDUCTOR, _states(V.BUILDING), sets_task=T.SCHEDULING,
    works_as=T.NETWORKING, ends_in=V.ACTIVE, ends_power=P.RUNNING, driver_call="spawn", needs_launch=False,
    reverts=False, timeout_s=1800, max_retries=5, event_name="compute__do_build_and_run_instance",
    # It ended on a host: a conductor gives back what was made at other services.
    stages=(Stage("undo", "compute__do_build_and_run_instance"),),
)  # fmt: skip
DELETE = Action(
    "delete", None, "delete", Place.COMPUTE, task_states=ANY_TASK, sets_task=T.DELETING, ends_in=V.DELETED,
    driver_call="destroy", needs_launch=False, reverts=False, timeout_s=None,
    event_name="compute_terminate_instance", off_home=True, stages=_DELETE_STAGES,
)  # fmt: skip
FORCE_DELETE = Action(
    "forceDelete", "forceDelete", "forceDelete", Place.COMPUTE, task_states=ANY_TASK, sets_task=T.DELETING,
    ends_in=V.DELETED, driver_call="destroy", needs_launch=False, reverts=False, timeout_s=None,
    event_name="compute_terminate_instance", off_home=True, stages=_DELETE_STAGES,
)  # fmt: skip
START = Action(
    "start", "os-start", "start", Place.COMPUTE, _states(V.STOPPED), sets_task=T.POWERING_ON, ends_in=V.ACTIVE,
    ends_power=P.RUNNING, driver_call="power_on", requires="power", needs_host=True,
)  # fmt: skip
STOP = Action(
    "stop", "os-stop", "stop", Place.COMPUTE, _states(V.ACTIVE, V.ERROR), sets_task=T.POWERING_OFF,
    ends_in=V.STOPPED, ends_power=P.SHUTDOWN, driver_call="power_off", requires="power", needs_host=True,
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
GET_REMOTE_CONSOLE = Action(
    "getRemoteConsole", "os-getVNCConsole", "get_remote_console", Place.API, needs_launch=False, ignores_lock=True,
    task_states=ANY_TASK - {T.DELETING, T.MIGRATING}, requires="remote_console", until="2.5",
)  # fmt: skip
ADD_SECURITY_GROUP = Action(
    "addSecurityGroup", "addSecurityGroup", "addSecurityGroup", Place.API, needs_launch=False, ignores_lock=True,
    task_states=ANY_TASK,
)  # fmt: skip
REMOVE_SECURITY_GROUP = Action(
    "removeSecurityGroup", "removeSecurityGroup", "removeSecurityGroup", Place.API, needs_launch=False,
    ignores_lock=True, task_states=ANY_TASK,
)  # fmt: skip
GET_DIAGNOSTICS = Action(
    "getDiagnostics", None, "get_diagnostics", Place.API, needs_launch=False, ignores_lock=True, task_states=ANY_TASK,
    requires="diagnostics",
)  # fmt: skip

_BUSY_WITH_DISKS = _states(V.ACTIVE, V.STOPPED, V.PAUSED, V.SUSPENDED)
_NOT_SUSPENDED = _states(V.ACTIVE, V.STOPPED, V.PAUSED)
_WITH_VOLUMES = _NOT_SUSPENDED | _states(V.RESIZED, V.SHELVED, V.SHELVED_OFFLOADED, V.SOFT_DELETED)
_MOVE_STAGES = (
    Stage("prep", "compute_prep_resize", move=M.PRE_MIGRATING),
    # The destination refused: another one is chosen.
    Stage("schedule", "compute_prep_resize"),
    Stage("resize", "compute_resize_instance", T.RESIZE_MIGRATING, M.MIGRATING),
    Stage("finish", "compute_finish_resize", T.RESIZE_FINISH, M.POST_MIGRATING),
    # A move that failed half-way returns: the source takes its guest up again.
    Stage("undo", "compute_finish_revert_resize"),
    # Then the destination removes what came.
    Stage("clear", "compute_revert_resize"),
)

REBUILD = Action(
    "rebuild", "rebuild", "rebuild", Place.COMPUTE, _states(V.ACTIVE, V.STOPPED, V.ERROR), sets_task=T.REBUILDING,
    driver_call="spawn", reverts=False, timeout_s=1800,
)  # fmt: skip
RESIZE = Action(
    "resize", "resize", "resize", Place.CONDUCTOR, _states(V.ACTIVE, V.STOPPED), sets_task=T.RESIZE_PREP,
    ends_in=V.RESIZED, driver_call="finish_migration", requires="migrate", timeout_s=3600,
    event_name="compute_prep_resize", off_home=True, leaves_host=True, stages=_MOVE_STAGES,
)  # fmt: skip
MIGRATE = Action(
    "migrate", "migrate", "migrate", Place.CONDUCTOR, _states(V.ACTIVE, V.STOPPED), sets_task=T.RESIZE_PREP,
    ends_in=V.RESIZED, driver_call="finish_migration", requires="migrate", timeout_s=3600,
    event_name="compute_prep_resize", off_home=True, leaves_host=True, stages=_MOVE_STAGES,
)  # fmt: skip
CONFIRM_RESIZE = Action(
    "confirmResize", "confirmResize", "confirmResize", Place.COMPUTE, _states(V.RESIZED),
    driver_call="confirm_migration", requires="migrate", timeout_s=None, event_name="compute_confirm_resize",
    off_home=True,
)  # fmt: skip
REVERT_RESIZE = Action(
    "revertResize", "revertResize", "revertResize", Place.COMPUTE, _states(V.RESIZED), sets_task=T.RESIZE_REVERTING,
    driver_call="revert_migration", requires="migrate", reverts=False, timeout_s=3600,
    event_name="compute_revert_resize", off_home=True,
    stages=(Stage("finish", "compute_finish_revert_resize"),),
)  # fmt: skip
LIVE_MIGRATE = Action(
    "live-migration", "os-migrateLive", "os-migrateLive", Place.CONDUCTOR, _states(V.ACTIVE, V.PAUSED),
    sets_task=T.MIGRATING, driver_call="live_migrate", requires="live_migration", timeout_s=7200,
    on_restart=OnRestart.UNDO,
    event_name="compute_live_migration", off_home=True, leaves_host=True,
    stages=(
        Stage("check", "compute_check_can_live_migrate_destination", move=M.QUEUED),
        # The destination refused: a conductor asks for another.
        Stage("retry", "conductor_live_migrate_instance"),
        Stage("migrate", "compute_live_migration", move=M.RUNNING),
        Stage("finish", "compute_post_live_migration_at_destination", move=M.POST_MIGRATING),
        # The source failed or died: the destination takes back what it prepared, unless the guest has arrived.
        Stage("undo", "compute_rollback_live_migration_at_destination"),
    ),
)  # fmt: skip
FORCE_COMPLETE = Action(
    "live_migration_force_complete", None, "force_complete", Place.API, _states(V.ACTIVE),
    task_states=frozenset({T.MIGRATING}),
)  # fmt: skip
ABORT_MIGRATION = Action(
    "live_migration_cancel", None, "abort live migration", Place.API, ANY_STATE - {V.BUILDING},
    task_states=frozenset({T.MIGRATING}),
)  # fmt: skip
EVACUATE = Action(
    "evacuate", "evacuate", "evacuate", Place.CONDUCTOR, _states(V.ACTIVE, V.STOPPED, V.ERROR), task_states=ANY_TASK,
    sets_task=T.REBUILDING, driver_call="spawn", ignores_lock=True, reverts=False, timeout_s=3600,
    event_name="compute_rebuild_instance", off_home=True,
    stages=(Stage("rebuild", "compute_rebuild_instance", T.REBUILD_SPAWNING, M.PRE_MIGRATING),),
)  # fmt: skip
RESCUE = Action(
    "rescue", "rescue", "rescue", Place.COMPUTE, _states(V.ACTIVE, V.STOPPED, V.ERROR), sets_task=T.RESCUING,
    ends_in=V.RESCUED, driver_call="rescue", requires="rescue", timeout_s=1800,
)  # fmt: skip
UNRESCUE = Action(
    "unrescue", "unrescue", "unrescue", Place.COMPUTE, _states(V.RESCUED), sets_task=T.UNRESCUING, ends_in=V.ACTIVE,
    ends_power=P.RUNNING, driver_call="unrescue", requires="rescue", reverts=False, timeout_s=1800,
)  # fmt: skip
SHELVE = Action(
    "shelve", "shelve", "shelve", Place.COMPUTE, _BUSY_WITH_DISKS, sets_task=T.SHELVING, ends_in=V.SHELVED,
    driver_call="snapshot", requires="snapshot", timeout_s=3600,
    # It was given up before it was shelved: the guest is woken.
    stages=(Stage("undo", "compute_shelve_instance"),),
)  # fmt: skip
SHELVE_OFFLOAD = Action(
    "shelveOffload", "shelveOffload", "shelveOffload", Place.COMPUTE, _states(V.SHELVED),
    sets_task=T.SHELVING_OFFLOADING, ends_in=V.SHELVED_OFFLOADED, driver_call="destroy", timeout_s=None,
    event_name="compute_shelve_offload_instance",
)  # fmt: skip
UNSHELVE = Action(
    "unshelve", "unshelve", "unshelve", Place.CONDUCTOR, _states(V.SHELVED, V.SHELVED_OFFLOADED),
    sets_task=T.UNSHELVING, ends_in=V.ACTIVE, ends_power=P.RUNNING, driver_call="spawn", timeout_s=3600, off_home=True,
    stages=(Stage("spawn", "compute_unshelve_instance", T.SPAWNING), Stage("start", "compute_start_instance")),
)  # fmt: skip
CREATE_IMAGE = Action(
    "createImage", "createImage", "createImage", Place.COMPUTE, _BUSY_WITH_DISKS, sets_task=T.IMAGE_SNAPSHOT_PENDING,
    works_as=T.IMAGE_SNAPSHOT, driver_call="snapshot", requires="snapshot", ignores_lock=True, timeout_s=3600,
    event_name="compute_snapshot_instance",
)  # fmt: skip
CREATE_BACKUP = Action(
    "createBackup", "createBackup", "createBackup", Place.COMPUTE, _BUSY_WITH_DISKS, sets_task=T.IMAGE_BACKUP,
    driver_call="snapshot", requires="snapshot", ignores_lock=True, timeout_s=3600,
    event_name="compute_backup_instance",
)  # fmt: skip
CHANGE_PASSWORD = Action(
    "changePassword", "changePassword", "changePassword", Place.COMPUTE, _states(V.ACTIVE),
    sets_task=T.UPDATING_PASSWORD, driver_call="set_admin_password", requires="password",
    event_name="compute_set_admin_password", locked_verb="changePassword",
)  # fmt: skip
TRIGGER_CRASH_DUMP = Action(
    "trigger_crash_dump", "trigger_crash_dump", "trigger_crash_dump", Place.COMPUTE,
    _states(V.ACTIVE, V.PAUSED, V.RESCUED, V.RESIZED, V.ERROR), driver_call="inject_nmi", requires="nmi",
    on_restart=OnRestart.FAIL, event_name="compute_trigger_crash_dump", since="2.17", needs_host=True,
)  # fmt: skip
SOFT_DELETE = Action(
    "softDelete", None, "delete", Place.COMPUTE, task_states=ANY_TASK, sets_task=T.SOFT_DELETING,
    ends_in=V.SOFT_DELETED, driver_call="power_off", needs_launch=False, timeout_s=None,
    event_name="compute_soft_delete_instance",
)  # fmt: skip
RESTORE = Action(
    "restore", "restore", "restore", Place.COMPUTE, _states(V.SOFT_DELETED), sets_task=T.RESTORING, ends_in=V.ACTIVE,
    ends_power=P.RUNNING, driver_call="power_on", requires="power", locked_verb="restore",
)  # fmt: skip
ATTACH_VOLUME = Action(
    "attach_volume", None, "attach_volume", Place.COMPUTE, _WITH_VOLUMES, driver_call="attach_volume",
    requires="volumes", event_name="compute_attach_volume", beside=True,
    stages=(Stage("undo", "compute_attach_volume"),),
)  # fmt: skip
DETACH_VOLUME = Action(
    "detach_volume", None, "detach_volume", Place.COMPUTE, _WITH_VOLUMES, driver_call="detach_volume",
    requires="volumes", timeout_s=None, event_name="compute_detach_volume", beside=True,
)  # fmt: skip
SWAP_VOLUME = Action(
    "swap_volume", None, "swap_volume", Place.COMPUTE, _states(V.ACTIVE, V.PAUSED, V.RESIZED),
    driver_call="swap_volume", requires="volumes", timeout_s=3600, event_name="compute_swap_volume", beside=True,
    stages=(Stage("undo", "compute_swap_volume"),),
)  # fmt: skip
ATTACH_INTERFACE = Action(
    "attach_interface", None, "attach_interface", Place.COMPUTE, _NOT_SUSPENDED, driver_call="attach_interface",
    requires="interfaces", event_name="compute_attach_interface", beside=True,
    stages=(Stage("undo", "compute_attach_interface"),),
)  # fmt: skip
DETACH_INTERFACE = Action(
    "detach_interface", None, "detach_interface", Place.COMPUTE, _NOT_SUSPENDED, driver_call="detach_interface",
    requires="interfaces", timeout_s=None, event_name="compute_detach_interface", beside=True,
)  # fmt: skip
# Nobody asks for it: a server's row has followed its guest to another host, and what is bound goes after them.
SETTLE = Action(
    "settle", None, "settle", Place.COMPUTE, task_states=ANY_TASK, driver_call="find_guest", needs_launch=False,
    ignores_lock=True, timeout_s=None, event_name="compute_settle_instance", beside=True,
)  # fmt: skip
# The step of it that says that the guest is where the row says.
FOUND_STEP = "found"
# The step that says that what a move on one host made there has gone.
CLEARED_STEP = "cleared"
# The step of an attach that says which port it is about begins so; the port is found by this key.
PORT_STEP = "port "
# The step of a swap that says that the guest, and its server's row, have the new volume: the rest of it is the
# attachment of the old one.
SWAPPED_STEP = "swapped "
# Steps of a swap before that: the hypervisor is asked from now on; its guest is known to have the old volume still.
# The later one counts.
COPYING_STEP, KEPT_STEP = "copying", "kept"
# The step of an attach that failed that says that nothing of it is left: its server loses what it was to get.
UNDONE_STEP = "undone"
# A step of a backup: its image stays whatever comes, so that older ones may go for it.
IMAGE_KEPT_STEP = "image kept"
ATTACH_KEY = "attach-%d"
UPDATE_METADATA = Action(
    "update_metadata", None, "update metadata", Place.API, _BUSY_WITH_DISKS, task_states=ANY_TASK,
)  # fmt: skip
DELETE_METADATA = Action(
    "delete_metadata", None, "delete metadata", Place.API, _BUSY_WITH_DISKS, task_states=ANY_TASK,
)  # fmt: skip
WRITE_TAGS = Action(
    "write_tags", None, "update tags", Place.API, _BUSY_WITH_DISKS, task_states=ANY_TASK, needs_launch=False,
    ignores_lock=True,
)  # fmt: skip

ACTIONS: tuple[Action, ...] = (
    CREATE, DELETE, FORCE_DELETE, START, STOP, REBOOT_SOFT, REBOOT_HARD, PAUSE, UNPAUSE, SUSPEND, RESUME, LOCK,
    UNLOCK, RESET_STATE, GET_CONSOLE_OUTPUT, GET_REMOTE_CONSOLE, GET_DIAGNOSTICS, REBUILD, RESIZE, MIGRATE,
    CONFIRM_RESIZE, REVERT_RESIZE, LIVE_MIGRATE, FORCE_COMPLETE, ABORT_MIGRATION, EVACUATE, RESCUE, UNRESCUE, SHELVE,
    SHELVE_OFFLOAD, UNSHELVE, CREATE_IMAGE, CREATE_BACKUP, CHANGE_PASSWORD, TRIGGER_CRASH_DUMP, SOFT_DELETE, RESTORE,
    ATTACH_VOLUME, DETACH_VOLUME, SWAP_VOLUME, ATTACH_INTERFACE, DETACH_INTERFACE, SETTLE,
    ADD_SECURITY_GROUP, REMOVE_SECURITY_GROUP, UPDATE_METADATA, DELETE_METADATA,
    WRITE_TAGS,
)  # fmt: skip


def by_name(name: str, args: dict[str, object] | None = None) -> Action:
    """The row of an operation's action; a reboot's row depends on its type.

    :raises KeyError: no such action.
    """
    if name == "reboot":
        return REBOOT_HARD if (args or {}).get("type") == "HARD" else REBOOT_SOFT
    return BY_NAME[name]


BY_NAME = {action.name: action for action in ACTIONS}
BESIDE = tuple(action.name for action in ACTIONS if action.beside)


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
