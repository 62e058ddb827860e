"""The launcher starts in order, obeys signals, stops in reverse, and its exit code says how it went."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest
from oslo_config import cfg

from nova_lite import config, exception, gmr, launcher, policy, systemd
from nova_lite.conf import default
from nova_lite.service import Stopped


class Fake:
    def __init__(self, name: str, log: list[str], drain_s: float = 0.0, error: BaseException | None = None) -> None:
        self.name = name
        self.log = log
        self.drain_s = drain_s
        self.error = error

    def start(self) -> None:
        if self.error is not None:
            raise self.error
        self.log.append(f"{self.name} start")

    def stop(self, timeout_s: float) -> bool:
        time.sleep(self.drain_s)
        self.log.append(f"{self.name} stop")
        return True

    def reset(self) -> None:
        self.log.append(f"{self.name} reset")

    def is_healthy(self) -> bool:
        return True


@pytest.fixture
def conf(monkeypatch: pytest.MonkeyPatch) -> Iterator[cfg.ConfigOpts]:
    private = cfg.ConfigOpts()
    default.register(private)
    private([], default_config_files=[], default_config_dirs=[])
    monkeypatch.setattr(gmr, "_sections", [])
    monkeypatch.setattr(launcher, "is_interactive", lambda: False)
    before = {number: signal.getsignal(number) for number in launcher.HANDLED}
    yield private
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)


def kill(number: int) -> None:
    os.kill(os.getpid(), number)


def test_order_of_start_and_stop(conf: cfg.ConfigOpts) -> None:
    log: list[str] = []
    groups = [[Fake("a", log), Fake("b", log)], [Fake("c", log)]]
    subject = launcher.Launcher(
        "x", groups, conf, close=lambda: log.append("close"), on_ready=lambda: kill(signal.SIGTERM)
    )
    assert subject.run() == 0
    assert log[:3] == ["a start", "b start", "c start"]
    assert log[3] == "c stop"
    assert sorted(log[4:6]) == ["a stop", "b stop"]
    assert log[6:] == ["close"]


@pytest.mark.parametrize(
    ("error", "code"), [(exception.ConfigInvalid(detail="no"), 1), (ValueError("bug"), 1), (Stopped(), 0)]
)
def test_exit_code_of_a_failed_start(conf: cfg.ConfigOpts, error: BaseException, code: int) -> None:
    log: list[str] = []
    subject = launcher.Launcher("x", [[Fake("a", log)], [Fake("b", log, error=error)]], conf)
    assert subject.run() == code
    assert log == ["a start", "b stop", "a stop"] or sorted(log) == ["a start", "a stop", "b stop"]


def test_hup_takes_over_options_and_usr2_reports(conf: cfg.ConfigOpts, monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []
    reported, done = threading.Event(), threading.Event()

    def report(conf: cfg.ConfigOpts, binary: str) -> None:
        log.append("report")
        reported.set()

    monkeypatch.setattr(config, "reload", lambda conf: log.append("options"))
    monkeypatch.setattr(policy, "refresh", lambda: log.append("policy"))
    monkeypatch.setattr(gmr, "write", report)
    monkeypatch.setattr(systemd, "ready", lambda status: done.set() if "a reset" in log else None)

    def signals() -> None:
        kill(signal.SIGUSR2)
        reported.wait(5)  # two signals that are pending at once come in the kernel's order, lowest first
        kill(signal.SIGHUP)
        done.wait(5)
        kill(signal.SIGTERM)

    subject = launcher.Launcher(
        "x", [[Fake("a", log)]], conf, on_ready=lambda: threading.Thread(target=signals).start()
    )
    assert subject.run() == 0
    assert log == ["a start", "report", "options", "policy", "a reset", "a stop"]


def test_hup_of_a_terminal_is_the_end(conf: cfg.ConfigOpts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "is_interactive", lambda: True)
    log: list[str] = []
    subject = launcher.Launcher("x", [[Fake("a", log)]], conf, on_ready=lambda: kill(signal.SIGHUP))
    assert subject.run() == 0
    assert log == ["a start", "a stop"]


def test_a_second_term_ends_at_once(conf: cfg.ConfigOpts, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[int] = []
    monkeypatch.setattr(launcher, "leave_at_once", left.append)

    def signals() -> None:
        kill(signal.SIGTERM)
        time.sleep(0.3)
        kill(signal.SIGTERM)

    subject = launcher.Launcher(
        "x", [[Fake("slow", [], drain_s=3)]], conf, on_ready=lambda: threading.Thread(target=signals).start()
    )
    begin = time.monotonic()
    assert subject.run() == 0
    assert time.monotonic() - begin < 2
    assert left == [0]


def test_the_drain_ends_at_the_deadline(conf: cfg.ConfigOpts, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[int] = []
    monkeypatch.setattr(launcher, "leave_at_once", left.append)
    monkeypatch.setattr(launcher, "CLOSING_S", 0.1)
    conf.set_override("graceful_shutdown_timeout", 0)
    subject = launcher.Launcher("x", [[Fake("slow", [], drain_s=3)]], conf, on_ready=lambda: kill(signal.SIGTERM))
    begin = time.monotonic()
    assert subject.run() == 0
    assert time.monotonic() - begin < 2
    assert left == [0]


def test_watchdog_is_fed_while_healthy(conf: cfg.ConfigOpts, monkeypatch: pytest.MonkeyPatch) -> None:
    fed = threading.Event()
    monkeypatch.setattr(systemd, "watchdog_interval_s", lambda: 0.01)
    monkeypatch.setattr(systemd, "alive", fed.set)
    subject = launcher.Launcher(
        "x",
        [[Fake("a", [])]],
        conf,
        on_ready=lambda: threading.Thread(target=lambda: (fed.wait(5), kill(signal.SIGTERM))).start(),
    )
    assert subject.run() == 0
    assert fed.is_set()


def test_watchdog_starves_when_sick(conf: cfg.ConfigOpts, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    sick = Fake("a", [])
    monkeypatch.setattr(sick, "is_healthy", lambda: False)
    monkeypatch.setattr(systemd, "alive", lambda: said.append("alive"))
    monkeypatch.setattr(systemd, "status", said.append)
    subject = launcher.Launcher("x", [[sick]], conf)
    subject._ready = True
    subject._report_health()
    assert said == ["not healthy: a"]
