"""Breaks a cloud of one process at one moment: the n-th time that a service passes a failpoint.

A service is recognised by the manager on the stack of the thread that passes; what services do by themselves
(heartbeats, sweeps, reports) is not an operation's and passes untouched, unless a scenario is about it.
"""

from __future__ import annotations

import enum
import sys
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from nova_lite import concurrency, exception, failpoints
from nova_lite.db.models import Operation
from nova_lite.db.session import reader
from nova_lite.manager import Manager
from nova_lite.objects import OPEN_STATES
from nova_lite.service import Service
from nova_lite.virt.fake import FakeDriver
from tests.harness.cloud import Cloud
from tests.harness.failpoints.points import BACKGROUND, Family, family

API = "api"


class Kind(enum.StrEnum):
    """CRASH: the service dies there, and another life of it starts. HANG: the thread stands still past its lease and
    then goes on, when somebody else has done its work. DELAY: it takes longer. RAISE: what it was about to do fails.
    LATE: the answer of what it did is lost, which it notices when everybody else is done.
    """

    CRASH = "crash"
    RAISE = "raise"
    HANG = "hang"
    DELAY = "delay"
    LATE = "late"


class Killed(BaseException):
    """The process ends here; what holds a database lock lets go, as the kernel would make it."""


@dataclass(frozen=True)
class Moment:
    """The ``nth`` time (from 0) that a service of that kind passes the point."""

    point: str
    service: str
    nth: int

    def __str__(self) -> str:
        return f"{self.service}/{self.point}#{self.nth}"


def passing(watches: Collection[str] = (), alone: bool = False) -> tuple[str, Manager | None] | None:
    """Which kind of service this thread works for, and its manager; None where it is no operation's work.

    :param watches: what services do by themselves, by the names of functions or chores, which counts as well.
    :param alone: nothing else counts.
    """
    frame: Any = sys._getframe(2)
    found: Manager | None = None
    is_watched = False
    while frame is not None:
        name, me = frame.f_code.co_name, frame.f_locals.get("self")
        chore = frame.f_locals["task"].label if isinstance(me, Service) and name == "_repeat" else name
        if chore in watches:
            is_watched = True
        elif name in BACKGROUND:
            return None
        if found is None and isinstance(me, Manager):
            found = me
        elif found is None and is_watched and isinstance(me, Service):
            found = me.manager
        frame = frame.f_back
    if alone and not is_watched:
        return None
    if found is None:
        return (API, None) if threading.current_thread() is threading.main_thread() else None
    return type(found).__name__.removesuffix("Manager").lower(), found


class Breaker:
    """``cloud`` is watched from now on until :meth:`close`."""

    def __init__(self, cloud: Cloud, pause_s: float) -> None:
        self._cloud = cloud
        self._pause_s = pause_s
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], int] = {}
        self._armed: tuple[Moment, Kind] | None = None
        self._watches: tuple[Collection[str], bool] = (), False
        self._revivals: list[threading.Thread] = []
        self._standing = 0
        # Of each thread, whether the process that it stands for is dead.
        self._mine = threading.local()
        self._over = threading.Event()
        self.passed: list[Moment] = []
        self.struck: Moment | None = None
        failpoints.arm(self._hit)

    def begin(
        self, armed: tuple[Moment, Kind] | None = None, watches: Collection[str] = (), alone: bool = False
    ) -> None:
        """Count from nothing; with ``armed``, something happens at that moment. The others: see :func:`passing`."""
        with self._lock:
            self._watches = watches, alone
            self._counts, self.passed, self.struck, self._armed = {}, [], None, armed

    def breathe(self) -> None:
        """This thread was an API's that died, and is the test's again."""
        self._mine.is_dead = False

    @property
    def is_striking(self) -> bool:
        """Whether a thread stands still, or a service is being started again, just now."""
        with self._lock:
            return self._standing > 0 or any(each.is_alive() for each in self._revivals)

    def rest(self) -> None:
        """Nothing more happens; services that are being started again are there when this returns."""
        with self._lock:
            self._armed = None
            revivals, self._revivals = self._revivals, []
        for revival in revivals:
            revival.join(10)

    def close(self) -> None:
        failpoints.disarm()
        self._over.set()

    def _hit(self, point: str) -> None:
        if getattr(self._mine, "is_dead", False):
            raise Killed
        who = passing(*self._watches)
        if who is None:
            return
        service, manager = who
        with self._lock:
            nth = self._counts.get((service, point), 0)
            self._counts[service, point] = nth + 1
            moment = Moment(point, service, nth)
            self.passed.append(moment)
            if self._armed is None or self._armed[0] != moment:
                return
            kind, self._armed, self.struck = self._armed[1], None, moment
        self._strike(kind, moment, manager)

    def _strike(self, kind: Kind, moment: Moment, manager: Manager | None) -> None:
        if kind is Kind.RAISE:
            raise _error(moment.point)
        if kind is Kind.CRASH:
            self._kill(manager)
        with self._lock:
            self._standing += 1
        if kind is Kind.DELAY:
            concurrency.sleep(self._pause_s / 4)
        elif kind is Kind.LATE:
            self._wait_for_the_others()
        else:
            self._over.wait(self._pause_s)
        with self._lock:
            self._standing -= 1
        if kind is Kind.LATE:
            raise _error(moment.point)

    def _wait_for_the_others(self) -> None:
        """Longer than a lease, if they take so long; they may also wait for this one."""
        looks = 20
        while looks and not self._over.wait(2 * self._pause_s / 20) and is_at_work():
            looks -= 1

    def _kill(self, manager: Manager | None) -> None:
        """The thread unwinds as far as it likes: no door opens to it any more, so the world sees nothing of that."""
        self._mine.is_dead = True
        if manager is not None:
            revival = threading.Thread(target=self._revive, args=(manager,), daemon=True)
            with self._lock:
                self._revivals.append(revival)
            revival.start()
        if _is_inside_a_driver():
            # On its way out a driver would clean up, which a dead process does not.
            self._over.wait()
        raise Killed

    def _revive(self, manager: Manager) -> None:
        starts: dict[str, Callable[[str], object]] = {
            "nova-lite-compute": self._cloud.start_host, "nova-lite-conductor": self._cloud.start_conductor,
            "nova-lite-scheduler": self._cloud.start_scheduler,
        }  # fmt: skip
        for name, service in list(self._cloud.services.items()):
            if service.manager is manager:
                self._cloud.kill(name)
                starts[service.name](name)


def is_at_work() -> bool:
    """Whether an operation is open."""
    query = select(Operation.id).where(Operation.state.in_([str(state) for state in OPEN_STATES])).limit(1)
    with reader() as session:
        return session.execute(query).first() is not None


def _is_inside_a_driver() -> bool:
    frame: Any = sys._getframe(1)
    while frame is not None and not isinstance(frame.f_locals.get("self"), FakeDriver):
        frame = frame.f_back
    return frame is not None


# What fails at such a point in the field.
_ERRORS: dict[Family, Callable[[], Exception]] = {
    Family.DB: exception.DatabaseUnavailable,
    Family.CALL: lambda: exception.BrokerUnavailable(reason="failpoint"),
    Family.CAST: lambda: exception.BrokerUnavailable(reason="failpoint"),
    Family.NETWORK: lambda: exception.Unavailable("failpoint: the network service does not answer"),
    Family.VOLUME: lambda: exception.Unavailable("failpoint: the volume service does not answer"),
    Family.IMAGE: lambda: exception.Unavailable("failpoint: the image service does not answer"),
}


def _error(point: str) -> Exception:
    make = _ERRORS.get(family(point))
    return make() if make is not None else exception.NovaLiteError(f"failpoint: {point} fails")
