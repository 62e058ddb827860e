"""Tasks, a clock that jumps to the next thing that happens, and one random generator that decides who goes next."""

from __future__ import annotations

import datetime
import hashlib
import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable
from typing import Any

from greenlet import getcurrent, greenlet

# The first second of the simulated world: 2030-01-01.
EPOCH = 1_893_456_000.0
# What a step takes, so that no two happen at the same moment.
STEP_S = 0.0002


class Life:
    """One life of a daemon: what is killed, and stands still, together. Its clock may be wrong by ``skew`` seconds."""

    def __init__(self, name: str, number: int = 1) -> None:
        self.name = name
        self.number = number
        self.alive = True
        self.thaws_at = 0.0
        self.skew = 0.0
        self.when_killed: list[Callable[[], None]] = []

    def __str__(self) -> str:
        return f"{self.name}.{self.number}"


class Task:
    """A thread of the simulated world."""

    __slots__ = ("blocked", "greenlet", "life", "name", "ticket", "woken")

    def __init__(self, life: Life, name: str) -> None:
        self.life = life
        self.name = name
        self.blocked = False
        self.woken = False
        self.ticket = 0
        self.greenlet: Any = None


class Stuck(Exception):
    """Nobody can go on and nothing will happen, or somebody waits who must not."""


class Kernel:
    """Runs tasks one at a time. ``now`` are seconds since the begin; as a :class:`clock.Source` it is the time."""

    def __init__(self, seed: int, keep: int = 4000) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.skew = 0.0
        self.current: Task | None = None
        self.crashed: list[str] = []
        self.steps = 0
        self._hub = getcurrent()
        self._nobody = Life("hub")
        self._runnable: list[Task] = []
        self._timers: list[tuple[float, int, Task, int]] = []
        self._numbers = itertools.count()
        self._everybody: list[Task] = []  # a dead task must not be collected: its `finally`s would run
        self._hash = hashlib.blake2b(digest_size=8)
        self.trace: deque[str] = deque(maxlen=keep)
        self.on_line: Callable[[str], None] | None = None

    # -- time -------------------------------------------------------------------------------------

    def time(self) -> float:
        skew = self.current.life.skew if self.current is not None else 0.0
        return EPOCH + self.now + self.skew + skew

    def monotonic(self) -> float:
        return self.now

    def database_time(self) -> datetime.datetime:
        """What the database's own clock says, naive UTC."""
        return datetime.datetime.fromtimestamp(EPOCH + self.now + self.skew, datetime.UTC).replace(tzinfo=None)

    # -- what was seen ----------------------------------------------------------------------------

    def note(self, what: str) -> None:
        """A line of the trace, which is what two runs of one seed have in common."""
        who = self.current.life if self.current is not None else self._nobody
        line = f"{self.now:10.4f} {who} {what}"
        self._hash.update(line.encode())
        self.trace.append(line)
        if self.on_line is not None:
            self.on_line(line)

    def fingerprint(self) -> str:
        return self._hash.hexdigest()

    # -- tasks ------------------------------------------------------------------------------------

    @property
    def life(self) -> Life:
        """Whose task is at work."""
        return self.current.life if self.current is not None else self._nobody

    def spawn(self, work: Callable[[], Any], name: str, life: Life | None = None) -> Task:
        """Begin a task, some time; it belongs to the life that begins it if not said otherwise."""
        task = Task(life or self.life, name)
        task.greenlet = greenlet(lambda: self._live(task, work), self._hub)
        self._everybody.append(task)
        if task.life.alive:
            self._runnable.append(task)
        return task

    def _live(self, task: Task, work: Callable[[], Any]) -> None:
        try:
            work()
        except BaseException as error:
            self.crashed.append(f"{task.life} {task.name}: {type(error).__name__}: {error}")
        # Parked for good: a task that ended is never switched to again.
        task.blocked, task.ticket = False, -1

    def pause(self) -> None:
        """Let others go first, perhaps."""
        if self.current is not None:
            self._runnable.append(self.current)
            self._leave()

    def sleep(self, seconds: float) -> None:
        self.block(max(0.0, seconds))

    def block(self, timeout_s: float | None = None) -> bool:
        """Wait to be woken; False when ``timeout_s`` passed first.

        :raises Stuck: called by nobody's task, or in the middle of a transaction.
        """
        task = self.current
        if task is None:
            raise Stuck("the simulator itself would wait for a task")
        task.ticket += 1
        task.blocked, task.woken = True, False
        if timeout_s is not None:
            heapq.heappush(self._timers, (self.now + timeout_s, next(self._numbers), task, task.ticket))
        self._leave()
        return task.woken

    def wake(self, task: Task) -> None:
        if task.blocked:
            task.blocked, task.woken = False, True
            self._runnable.append(task)

    def _leave(self) -> None:
        self._hub.switch()

    def kill(self, life: Life) -> None:
        """Its tasks stop where they are and never go on; a task that kills itself does not return from here."""
        if not life.alive:
            return
        self.note(f"KILLED {life}")
        life.alive = False
        self._runnable = [task for task in self._runnable if task.life is not life]
        for told in life.when_killed:
            told()
        if self.current is not None and self.current.life is life:
            self._leave()

    def freeze(self, life: Life, seconds: float) -> None:
        """As SIGSTOP: nothing of it goes on for so long."""
        self.note(f"FROZEN {life} for {seconds:.0f} s")
        life.thaws_at = max(life.thaws_at, self.now + seconds)

    # -- the loop ---------------------------------------------------------------------------------

    def run(self, limit_s: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Go on until it is true (looked at after each step) or so many seconds of the simulated world are over."""
        end = self.now + limit_s
        while not until():
            if not self._runnable and not self._advance(end):
                return until()
            self._step()
        return True

    def _advance(self, end: float) -> bool:
        """Jump to the next timer; False when that is behind the end, where the clock stands then."""
        while self._timers:
            when, _, task, ticket = self._timers[0]
            if not task.life.alive or ticket != task.ticket or not task.blocked:
                heapq.heappop(self._timers)
                continue
            if when > end:
                break
            heapq.heappop(self._timers)
            self.now = max(self.now, when)
            task.blocked = False
            self._runnable.append(task)
            return True
        self.now = max(self.now, end)
        return False

    def _step(self) -> None:
        number = self.random.randrange(len(self._runnable))
        # Order says nothing here: the last one takes the free place.
        task, self._runnable[number] = self._runnable[number], self._runnable[-1]
        self._runnable.pop()
        if not task.life.alive:
            return
        if task.life.thaws_at > self.now:
            task.blocked, task.ticket = True, task.ticket + 1
            heapq.heappush(self._timers, (task.life.thaws_at, next(self._numbers), task, task.ticket))
            task.woken = True
            return
        self._fire_due()
        self.now += STEP_S
        self.steps += 1
        self.current = task
        try:
            task.greenlet.switch()
        finally:
            self.current = None

    def _fire_due(self) -> None:
        """Whose time has come while others worked may go on, too."""
        while self._timers and self._timers[0][0] <= self.now:
            _, _, task, ticket = heapq.heappop(self._timers)
            if task.life.alive and task.blocked and ticket == task.ticket:
                task.blocked = False
                self._runnable.append(task)
