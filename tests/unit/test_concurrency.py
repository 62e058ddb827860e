"""Both backends keep the same promises; each is tried in an interpreter of its own because patching is for ever."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from nova_lite import concurrency

BACKENDS = ["eventlet", "threading"]


def run(backend: str, code: str) -> str:
    """Run the code after patch() in a new interpreter; its standard output."""
    program = "from nova_lite import concurrency\nconcurrency.patch()\n" + textwrap.dedent(code)
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={"NOVA_LITE_CONCURRENCY_BACKEND": backend, "PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize("backend", BACKENDS)
def test_patch_puts_the_chosen_backend_in_force(backend: str) -> None:
    out = run(
        backend,
        """
        import sys, threading
        import socket
        green = "eventlet" in socket.socket.__module__
        try:
            import eventlet
            importable = True
        except ImportError:
            importable = False
        print(concurrency.backend(), green, importable)
        """,
    )
    green = backend == "eventlet"
    assert out == f"{backend} {green} {green}"


@pytest.mark.parametrize("backend", BACKENDS)
def test_spawn_pool_event_and_blocking(backend: str) -> None:
    out = run(
        backend,
        """
        import time
        import threading
        # spawn returns the result and raises the exception
        assert concurrency.spawn(lambda a, b: a + b, 1, b=2).wait(5) == 3
        try:
            concurrency.spawn(lambda: 1 / 0).result(5)
        except ZeroDivisionError:
            print("raised")
        # events wake, timeouts elapse
        event = concurrency.Event()
        concurrency.spawn(lambda: (concurrency.sleep(0.05), event.set()))
        assert event.wait(5)
        assert not concurrency.Event().wait(0.01)
        # a pool never runs more than its size, and runs everything
        now, most, lock = 0, 0, concurrency.Lock()
        def work(n):
            global now, most
            with lock:
                now += 1
                most = max(most, now)
            concurrency.sleep(0.02)
            with lock:
                now -= 1
            return n
        pool = concurrency.Pool(3)
        handles = [pool.spawn(work, n) for n in range(10)]
        assert [h.wait(5) for h in handles] == list(range(10))
        assert pool.wait(5) and most == 3, most
        # blocking C code does not stop the others: 3 x 0.5 s side by side
        sleep = concurrency.native_module("time").sleep
        begin = time.monotonic()
        waits = [concurrency.spawn(concurrency.run_blocking, sleep, 0.5) for _ in range(3)]
        [w.wait(5) for w in waits]
        assert time.monotonic() - begin < 1.4
        # locals are per thread
        mine = concurrency.local()
        mine.value = 1
        assert concurrency.spawn(lambda: hasattr(mine, "value")).wait(5) is False
        print("done")
        """,
    )
    assert out.split() == ["raised", "done"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_bridge_delivers_in_order_from_native_threads(backend: str) -> None:
    out = run(
        backend,
        """
        got = []
        full = concurrency.Event()
        main = concurrency.native_module("threading").get_ident()
        threads = set()
        def callback(item):
            if item == 3:
                raise ValueError("one bad event")
            threads.add(concurrency.native_module("threading").get_ident())
            got.append(item)
            if item == 19999:
                full.set()
        import logging
        logging.disable(logging.CRITICAL)
        bridge = concurrency.Bridge(callback)
        def produce():
            for n in range(20000):
                bridge.put(n)
        concurrency.native_thread(produce)
        assert full.wait(20)
        assert got == [n for n in range(20000) if n != 3]
        bridge.put("last")
        bridge.close()
        assert got[-1] == "last"
        print(threads == {main})
        """,
    )
    assert out == str(backend == "eventlet")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_bridge_may_be_closed_while_items_come(backend: str) -> None:
    """Neither side ever writes to a descriptor that is closed, or is somebody else's by now."""
    out = run(
        backend,
        """
        errors, done = [], []
        def produce(bridge):
            try:
                for n in range(50):
                    bridge.put(n)
            except OSError as error:
                errors.append(error)
            done.append(1)
        for _ in range(200):
            bridge = concurrency.Bridge(lambda item: None)
            concurrency.native_thread(produce, bridge)
            bridge.close()
        while len(done) < 200:
            concurrency.sleep(0.01)
        print(errors)
        """,
    )
    assert out == "[]"


@pytest.mark.parametrize("backend", BACKENDS)
def test_process_ends_although_work_runs(backend: str) -> None:
    assert (
        run(backend, "concurrency.spawn(concurrency.sleep, 600)\nconcurrency.Pool(1).spawn(concurrency.sleep, 600)")
        == ""
    )


def test_patch_refuses_threading_after_eventlet_was_imported() -> None:
    program = "import warnings; warnings.simplefilter('ignore')\nimport eventlet\nfrom nova_lite import concurrency\n"
    program += "concurrency.patch('threading')"
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 1
    assert "eventlet was imported before" in result.stderr


def test_without_patch_it_is_threading() -> None:
    assert concurrency.backend() == "threading"
    assert concurrency.run_blocking(sum, [1, 2]) == 3
    with pytest.raises(RuntimeError):
        concurrency.green_module("eventlet.wsgi")


def test_work_that_waits_can_be_cancelled() -> None:
    release = concurrency.Event()
    pool = concurrency.Pool(1)
    first = pool.spawn(release.wait, 5)
    second = pool.spawn(lambda: "never")
    assert second.cancel()
    release.set()
    assert first.wait(5)
    assert pool.wait(5)
    assert pool.waiting() == 0
