"""Signals as things to read, not as interruptions.

A handler that runs in the middle of anything may do next to nothing safely, under eventlet even less. So all that the
interpreter does is to write the signal's number into a pipe, and whoever waits on it acts as on any other input.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from collections.abc import Iterable
from types import FrameType

from nova_lite import concurrency

# What a worker obeys: Ctrl-C reaches the whole process group, but its parent tells it when to end.
WORKER = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2)
PARENT = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2, signal.SIGCHLD)
HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2)


def is_interactive() -> bool:
    """Whether somebody sits at a terminal: its end (HUP) is then the end of the process too, not a reload."""
    try:
        return sys.stdin is not None and sys.stdin.isatty()
    except ValueError:  # closed
        return False


def _nothing(number: int, frame: FrameType | None) -> None:
    """The number is in the pipe already."""


class SignalPipe:
    """Collects signals of this process until they are read.

    :param native: wait as the operating system does, and let nothing else run meanwhile; for a parent that forks,
        because a green wait would share eventlet's epoll descriptor with the children.
    """

    def __init__(self, numbers: Iterable[signal.Signals] = HANDLED, native: bool = False) -> None:
        self._select = concurrency.native_module("select").select if native else select.select
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        os.set_blocking(self._reader, False)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self._numbers = tuple(numbers)
        for number in self._numbers:
            signal.signal(number, _nothing)

    def wait(self, timeout_s: float | None) -> list[signal.Signals]:
        """Signals that came, in order; none when so many seconds passed."""
        ready, _, _ = self._select([self._reader], [], [], timeout_s)
        if not ready:
            return []
        with contextlib.suppress(BlockingIOError):
            return [signal.Signals(number) for number in os.read(self._reader, 4096)]
        return []

    def close(self) -> None:
        """Give the signals back their default meaning."""
        signal.set_wakeup_fd(-1)
        for number in self._numbers:
            signal.signal(number, signal.SIG_DFL)
        os.close(self._reader)
        os.close(self._writer)
