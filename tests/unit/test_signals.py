from __future__ import annotations

import os
import signal

from nova_lite import signals


def test_signals_are_read_in_order_and_given_back() -> None:
    pipe = signals.SignalPipe((signal.SIGUSR1, signal.SIGUSR2))
    try:
        assert pipe.wait(0) == []
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR2)
        assert pipe.wait(5) == [signal.SIGUSR1, signal.SIGUSR2]
        assert pipe.wait(0) == []
    finally:
        pipe.close()
    assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL


def test_a_worker_does_not_obey_the_keyboard() -> None:
    assert signal.SIGINT not in signals.WORKER
    assert {signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2} == set(signals.WORKER)
    assert signal.SIGCHLD in signals.PARENT
