"""What ``nova_lite.concurrency`` gives, made of the kernel's tasks; :func:`install` puts it in its place."""

from __future__ import annotations

import collections
import weakref
from collections.abc import Callable
from typing import Any

from greenlet import getcurrent

from nova_lite import concurrency
from tests.harness.simulator.kernel import Kernel, Stuck, Task

# Of what is made before a world begins: its tasks do not run.
_kernel = Kernel(0)


def kernel() -> Kernel:
    return _kernel


def use(chosen: Kernel) -> None:
    """From now on tasks are this kernel's."""
    global _kernel
    _kernel = chosen


class _Waiters:
    """Tasks that wait for the same thing."""

    def __init__(self) -> None:
        self._tasks: collections.deque[Task] = collections.deque()

    def wait(self, timeout_s: float | None) -> bool:
        task = kernel().current
        if task is None:
            raise Stuck("the simulator itself would wait for a task")
        self._tasks.append(task)
        try:
            return kernel().block(timeout_s)
        finally:
            if task in self._tasks:
                self._tasks.remove(task)

    def wake(self, count: int | None = None) -> None:
        left = len(self._tasks) if count is None else count
        while left > 0 and self._tasks:
            task = self._tasks.popleft()
            if task.life.alive:
                kernel().wake(task)
                left -= 1


class Event:
    """threading.Event."""

    def __init__(self) -> None:
        self._set = False
        self._waiters = _Waiters()

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True
        self._waiters.wake()

    def clear(self) -> None:
        self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        if not self._set:
            self._waiters.wait(timeout)
        return self._set


class Semaphore:
    """threading.Semaphore; with one place it is a lock."""

    def __init__(self, value: int = 1) -> None:
        self._free = value
        self._waiters = _Waiters()

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        patience_s = None if timeout is None or timeout < 0 else timeout
        while self._free <= 0:
            if not blocking or not self._waiters.wait(patience_s):
                return False
        self._free -= 1
        return True

    def release(self) -> None:
        self._free += 1
        self._waiters.wake(1)

    def locked(self) -> bool:
        return self._free <= 0

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class RLock:
    """threading.RLock: whoever holds it may take it again."""

    def __init__(self) -> None:
        self._lock = Semaphore()
        self._owner: Task | None = None
        self._depth = 0

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        if self._depth and self._owner is kernel().current:
            self._depth += 1
            return True
        if not self._lock.acquire(blocking, timeout):
            return False
        self._owner, self._depth = kernel().current, 1
        return True

    def release(self) -> None:
        self._depth -= 1
        if not self._depth:
            self._owner = None
            self._lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class Condition:
    """threading.Condition. Its lock is real only between waits, which is all there is between tasks."""

    def __init__(self, lock: Any = None) -> None:
        self._lock = lock or RLock()
        self._waiters = _Waiters()

    def __enter__(self) -> Any:
        return self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def wait(self, timeout: float | None = None) -> bool:
        self._lock.release()
        try:
            return self._waiters.wait(timeout)
        finally:
            self._lock.acquire()

    def wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> Any:
        end = None if timeout is None else kernel().now + timeout
        while not (found := predicate()):
            left = None if end is None else end - kernel().now
            if left is not None and left <= 0:
                break
            self.wait(left)
        return found

    def notify(self, count: int = 1) -> None:
        self._waiters.wake(count)

    def notify_all(self) -> None:
        self._waiters.wake()


class Local:
    """threading.local: each task has values of its own, and so has what runs outside of tasks."""

    def __init__(self) -> None:
        self.__dict__["_by_task"] = weakref.WeakKeyDictionary()

    def __getattr__(self, name: str) -> Any:
        try:
            return self._by_task[getcurrent()][name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._by_task.setdefault(getcurrent(), {})[name] = value


class Handle:
    """concurrency.Handle: work that was begun."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._ended = Event()
        self._begun = False
        self._result: Any = None
        self._error: BaseException | None = None

    def run(self) -> None:
        self._begun = True
        try:
            self._result = self._work()
        except BaseException as error:
            self._error = error
        self._ended.set()

    def wait(self, timeout: float | None = None) -> Any:
        """:raises TimeoutError: it did not end in time."""
        error = self.exception(timeout)
        if error is not None:
            raise error
        return self._result

    result = wait

    def exception(self, timeout: float | None = None) -> BaseException | None:
        if not self._ended.wait(timeout):
            raise TimeoutError
        return self._error

    def done(self) -> bool:
        return self._ended.is_set()

    def cancel(self) -> bool:
        return False


def spawn(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Handle:
    handle = Handle(lambda: fn(*args, **kwargs))
    kernel().spawn(handle.run, getattr(fn, "__name__", "spawned"))
    return handle


class Pool:
    """concurrency.Pool: at most ``size`` pieces of work at a time, in its maker's life."""

    def __init__(self, size: int, name: str = "pool") -> None:
        self.size = size
        self._name = name
        self._work: collections.deque[Handle] = collections.deque()
        self._workers = 0
        self._idle = Event()
        self._life = kernel().life

    def spawn(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Handle:
        handle = Handle(lambda: fn(*args, **kwargs))
        self._work.append(handle)
        if self._workers < self.size:
            self._workers += 1
            self._idle.clear()
            kernel().spawn(self._run, self._name, self._life)
        return handle

    def _run(self) -> None:
        while self._work:
            self._work.popleft().run()
        self._workers -= 1
        if not self._workers:
            self._idle.set()

    def waiting(self) -> int:
        return len(self._work)

    def wait(self, timeout: float | None = None) -> bool:
        return self._workers == 0 or self._idle.wait(timeout)


def _sleep(seconds: float = 0) -> None:
    kernel().sleep(seconds)


def install() -> None:
    """For the rest of this process, which does nothing but simulate."""
    replacements = {
        "Event": Event, "Condition": Condition, "Semaphore": Semaphore, "Lock": Semaphore, "RLock": RLock,
        "local": Local, "sleep": _sleep, "spawn": spawn, "Pool": Pool,
    }  # fmt: skip
    for name, replacement in replacements.items():
        setattr(concurrency, name, replacement)
