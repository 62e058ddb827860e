"""Green threads or native threads: the only module that knows which, and the only importer of eventlet.

A ``cmd`` calls ``patch()`` before it imports anything else. Under *eventlet* the standard library is monkey patched,
so ``threading`` objects are green and most of this module is the same code for both; under *threading* an import of
eventlet anywhere is an error. Where nobody called ``patch()`` (unit tests, libraries) it behaves as under threading.
"""

from __future__ import annotations

import collections
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nova_lite import early_config

if TYPE_CHECKING:
    from concurrent.futures import Future

EVENTLET = "eventlet"
THREADING = "threading"

_backend: str | None = None


def patch(backend: str | None = None) -> str:
    """Choose the backend and put it in force for the whole process; the second call only answers what was chosen.

    :param backend: EVENTLET or THREADING; None reads [DEFAULT] concurrency_backend.
    """
    global _backend
    if _backend is None:
        _backend = backend or early_config.concurrency_backend()
        if _backend == EVENTLET:
            _monkey_patch()
        else:
            _poison_eventlet()
    return _backend


def _monkey_patch() -> None:
    # The notice is for authors of new code; this project's answer to it is the other backend.
    warnings.filterwarnings("ignore", message=r"(?s).*[Ee]ventlet.*", category=DeprecationWarning)
    # eventlet's own resolver knows neither nsswitch nor all of IPv6, and waits seconds for names the system knows.
    os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import eventlet

        eventlet.monkey_patch()


def _poison_eventlet() -> None:
    if "eventlet" in sys.modules:
        raise RuntimeError("eventlet was imported before concurrency.patch() chose threading")
    sys.modules["eventlet"] = None  # type: ignore[assignment]  # import now raises ImportError, which oslo handles


def backend() -> str:
    """EVENTLET or THREADING."""
    return _backend or THREADING


def is_green() -> bool:
    return backend() == EVENTLET


# -- primitives: green under eventlet because they are made by the patched module ------------------------------------

Event = threading.Event
Condition = threading.Condition
Semaphore = threading.Semaphore


def Lock() -> threading.Lock:  # noqa: N802  stands where a class would
    return threading.Lock()


def RLock() -> Any:  # noqa: N802
    return threading.RLock()


def local() -> threading.local:
    """Values per thread or green thread."""
    return threading.local()


def sleep(seconds: float = 0) -> None:
    """Let others run for at least so long."""
    time.sleep(seconds)


def get_ident() -> int:
    return threading.get_ident()


# -- work beside the caller -----------------------------------------------------------------------------------------


class Handle:
    """Work that was started with spawn: wait for its end, or cancel it where it has not begun."""

    def __init__(self, future: Future[Any]) -> None:
        self._future = future

    def wait(self, timeout: float | None = None) -> Any:
        """The function's result; its exception is raised here.

        :raises TimeoutError: the work did not end within ``timeout`` seconds.
        """
        return self._future.result(timeout)

    result = wait

    def exception(self, timeout: float | None = None) -> BaseException | None:
        return self._future.exception(timeout)

    def done(self) -> bool:
        return self._future.done()

    def cancel(self) -> bool:
        """True when the work will never run; work that has begun is not interrupted."""
        return self._future.cancel()


def _new_future() -> Future[Any]:
    from concurrent.futures import Future  # it imports logging, whose locks must be made after patch()

    return Future()


def _run(future: Future[Any], fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = fn(*args, **kwargs)
    except BaseException as error:  # the future carries everything, like concurrent.futures
        import logging

        logging.getLogger(__name__).debug("background work %s failed", getattr(fn, "__qualname__", fn), exc_info=True)
        future.set_exception(error)
    else:
        future.set_result(result)


def spawn(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Handle:
    """Run the function in a thread of its own kind; it does not keep the process alive."""
    future = _new_future()
    name = getattr(fn, "__name__", "spawned")
    threading.Thread(target=_run, args=(future, fn, args, kwargs), name=name, daemon=True).start()
    return Handle(future)


class Pool:
    """At most ``size`` pieces of work at a time; more wait in order. Idle workers end: nothing is left behind."""

    def __init__(self, size: int, name: str = "pool") -> None:
        self.size = size
        self._name = name
        self._work: collections.deque[tuple[Future[Any], Callable[..., Any], Any, Any]] = collections.deque()
        self._workers = 0
        self._changed = threading.Condition()

    def spawn(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Handle:
        future = _new_future()
        with self._changed:
            self._work.append((future, fn, args, kwargs))
            if self._workers < self.size:
                self._workers += 1
                threading.Thread(target=self._worker, name=self._name, daemon=True).start()
        return Handle(future)

    def _worker(self) -> None:
        while True:
            with self._changed:
                if not self._work:
                    self._workers -= 1
                    self._changed.notify_all()
                    return
                item = self._work.popleft()
            _run(*item)

    def waiting(self) -> int:
        """Pieces of work not begun."""
        return len(self._work)

    def wait(self, timeout: float | None = None) -> bool:
        """True when all work ended within ``timeout`` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._workers == 0, timeout)


# -- the border to native threads -----------------------------------------------------------------------------------


def run_blocking(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function that blocks in C (libvirt, large file I/O) without stopping other green threads."""
    if not is_green():
        return fn(*args, **kwargs)
    from eventlet import tpool

    return tpool.execute(fn, *args, **kwargs)


def native_module(module: str) -> ModuleType:
    """The module as it was before monkey patching."""
    if not is_green():
        return __import__(module)
    from eventlet import patcher

    original: ModuleType = patcher.original(module)
    return original


def native_thread(fn: Callable[..., Any], *args: Any, name: str = "native") -> Any:
    """Start a real thread also under eventlet (libvirt's event loop); it reaches green objects only by a Bridge."""
    thread = native_module("threading").Thread(target=fn, args=args, name=name, daemon=True)
    thread.start()
    return thread


_END = object()


class Bridge:
    """Items put by any native thread, delivered one by one and in order to ``callback`` on our side of the border."""

    def __init__(self, callback: Callable[[Any], Any], name: str = "bridge") -> None:
        self._callback = callback
        self._items: collections.deque[Any] = collections.deque()  # its append and popleft are atomic
        self._os = native_module("os")
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        if is_green():
            os.set_blocking(self._reader, False)
        self._closed = False
        self._pipe_lock = native_module("threading").Lock()  # a native thread may hold it; nobody does for long
        self._pipe_open = True
        self._handle = spawn(self._deliver)
        self.name = name

    def put(self, item: Any) -> None:
        """Hand over an item; never blocks, may be called from a native thread."""
        if not self._closed:
            self._items.append(item)
            self._wake()

    def _wake(self) -> None:
        with self._pipe_lock:  # else a late wake-up could go to whatever has the descriptor's number by then
            if not self._pipe_open:
                return
            try:
                self._os.write(self._writer, b".")
            except BlockingIOError:
                return  # the pipe is full of wake-ups already: the reader will come

    def close(self, timeout: float | None = 5) -> None:
        """Deliver what was put and end; seconds to wait for that."""
        if not self._closed:
            self._closed = True
            self._items.append(_END)
            self._wake()
            self._handle.exception(timeout)

    def _deliver(self) -> None:
        try:
            while os.read(self._reader, 4096):
                while self._items:
                    item = self._items.popleft()
                    if item is _END:
                        return
                    self._call(item)
        finally:
            with self._pipe_lock:
                self._pipe_open = False
                os.close(self._reader)
                os.close(self._writer)

    def _call(self, item: Any) -> None:
        try:
            self._callback(item)
        except Exception:  # one bad event must not stop the events after it
            import logging

            logging.getLogger(__name__).exception("bridge %s: callback failed", self.name)


# -- for oslo, the HTTP server and the launcher ------------------------------------------------------------------------


def green_module(name: str) -> Any:
    """A module of eventlet, such as ``eventlet.wsgi``; only where is_green()."""
    import importlib

    if not is_green():
        raise RuntimeError(f"{name} is not available: concurrency_backend is {backend()}")
    return importlib.import_module(name)


def choose_oslo_service_backend() -> None:
    """Tell oslo.service, which oslo.messaging imports, which of its backends fits; it would load eventlet's."""
    from oslo_service import backend as oslo_backend

    kind = oslo_backend.BackendType.EVENTLET if is_green() else oslo_backend.BackendType.THREADING
    oslo_backend.register_backend_default_hook(lambda: kind)


def after_fork() -> None:
    """In a forked child: a hub of its own, because the parent's epoll descriptor is shared."""
    if is_green():
        from eventlet import hubs

        hubs.use_hub()
