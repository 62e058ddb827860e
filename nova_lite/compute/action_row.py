"""What a row of THE TABLE of server actions (:mod:`nova_lite.compute.actions`) can say."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from nova_lite.compute.power_states import PowerState as P
from nova_lite.compute.task_states import TaskState as T
from nova_lite.compute.vm_states import VmState as V
from nova_lite.objects.migration import MigrationStatus as M

ANY_STATE = frozenset(V) - {V.DELETED}
IDLE: frozenset[T | None] = frozenset({None})


class Place(enum.StrEnum):
    """Who does the work: the API in its own transaction, any conductor, or the server's host."""

    API = "api"
    CONDUCTOR = "conductor"
    COMPUTE = "compute"


class OnRestart(enum.StrEnum):
    """What becomes of an operation whose worker died: see ``nova_lite.conductor.failures``, which obeys it.

    RESUME: the next worker does the turn again, each step of which may be done twice. UNDO: what is half done is taken
    back (where the turn has nothing half done, it is resumed). FAIL: it must not be done twice, and nobody knows
    whether it was done.
    """

    RESUME = "resume"
    UNDO = "undo"
    FAIL = "fail"


@dataclass(frozen=True)
class Backoff:
    """How long an operation rests that cannot go on now, in seconds: each rest ``factor`` times the one before it.

    Up to ``jitter`` of a rest is cut off, so that what failed together is not tried together.
    """

    first_s: float = 2.0
    factor: float = 2.0
    longest_s: float = 60.0
    jitter: float = 0.2

    def rest_s(self, rests: int, salt: int) -> float:
        """The rest after so many others; ``salt`` (an operation's id) says what of the jitter it gets."""
        whole = self.longest_s
        if self.factor ** min(rests, 64) * self.first_s < self.longest_s:
            whole = self.first_s * self.factor**rests
        share = (salt * 2654435761 + rests * 40503) % 1000 / 1000
        return whole * (1 - self.jitter * share)


@dataclass(frozen=True)
class Stage:
    """One turn of an action that several hosts (or a host and a conductor) do one after the other.

    ``event`` is the step's name in the instance action, ``task`` what the server shows meanwhile, ``move`` what its
    open migration shows (None: no change).
    """

    name: str
    event: str
    task: T | None = None
    move: M | None = None


@dataclass(frozen=True)
class Action:
    """One row. ``verb`` is the word in the 409; ``driver_call`` the method of the driver that does it.

    ``needs_launch``: 409 unless the server was active once. ``ignores_lock``: a lock does not stop it.
    ``timeout_s``: seconds after which the sweeper ends the operation; None: it is tried until it is done.
    ``max_retries``: workers that may die on it before it counts as poison. ``backoff``: rests between its attempts.
    ``works_as``: the task once a host has it. ``event``: the name of its step on the host. ``reverts``: on failure the
    vm_state stays as it was, else the server goes to error. ``off_home``: its turns may be on hosts that are not the
    server's. ``stages``: its turns after the first, see :class:`Stage`; the operation's argument ``stage`` names the
    present one. ``locked_verb``: what a locked server answers instead of "is locked", ``needs_host``: 409 "is not
    ready" without one, whatever its state (contract states.md, corrections); ``leaves_host``: the same where its state
    would allow it. ``beside``: it holds no task state and
    changes something of another service, too: it is not in the way of other actions, goes after its server when that
    moves, and ends with its host or its server only.
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
    backoff: Backoff = Backoff()
    requires: str | None = None
    since: str = "2.1"
    until: str | None = None
    event_name: str | None = None
    off_home: bool = False
    stages: tuple[Stage, ...] = ()
    locked_verb: str | None = None
    needs_host: bool = False
    leaves_host: bool = False
    beside: bool = False

    @property
    def event(self) -> str:
        return self.event_name or f"compute_{self.name}_instance"

    def stage(self, name: str | None) -> Stage:
        """The turn of that name; None is the first, which the row itself describes.

        :raises KeyError: the row has no such turn.
        """
        if name is None:
            return Stage("", self.event, self.works_as)
        return {stage.name: stage for stage in self.stages}[name]
