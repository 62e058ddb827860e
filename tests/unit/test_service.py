"""Service, Gate and WSGIService: they wait for neighbours, run periodic tasks, drain."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from oslo_config import cfg

from nova_lite import exception, listening, rpc, service, wsgi
from nova_lite.conf import default
from nova_lite.conf import wsgi as wsgi_options
from nova_lite.manager import Manager, PeriodicTask


class FakeServer:
    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.answer = True

    def start(self) -> None:
        self.log.append("server start")

    def stop(self) -> None:
        self.log.append("server stop")

    def wait(self) -> None:
        self.log.append("server wait")

    def answers(self) -> bool:
        return self.answer


class Recorder(Manager):
    """Writes down what is asked of it; ``missing`` neighbours are not there yet."""

    def __init__(self, log: list[str], missing: int = 0) -> None:
        super().__init__("h1")
        self.log = log
        self.missing = missing
        self.beats = 0
        self.beaten = threading.Event()
        self.healthy = True
        self.drain_s = 0.0

    def init_host(self) -> None:
        if self.missing:
            self.missing -= 1
            raise exception.DatabaseUnavailable
        self.log.append("init")

    def start(self) -> None:
        self.log.append("start")

    def pre_stop(self) -> None:
        self.log.append("pre_stop")

    def stop(self) -> None:
        time.sleep(self.drain_s)
        self.log.append("stop")

    def is_healthy(self) -> bool:
        return self.healthy

    def periodic_tasks(self) -> list[PeriodicTask]:
        return [PeriodicTask(self._beat, 0.001, name="beat")]

    def _beat(self) -> None:
        self.beats += 1
        if self.beats == 1:
            raise ValueError("the first beat fails")
        if self.beats == 2:
            raise exception.DatabaseUnavailable
        self.beaten.set()


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(service, "RETRY_FIRST_S", 0.001)
    entries: list[str] = []
    monkeypatch.setattr(rpc, "get_server", lambda topic, host, endpoints: FakeServer(entries))
    return entries


def test_start_waits_for_neighbours_and_keeps_the_order(log: list[str]) -> None:
    manager = Recorder(log, missing=3)
    subject = service.Service("nova-lite-x", "x", manager, "h1")
    subject.start()
    assert log == ["init", "server start", "start"]
    assert manager.beaten.wait(5), "a failing periodic task goes on"
    assert subject.is_healthy()
    log.clear()
    assert subject.stop(5)
    assert log == ["pre_stop", "server stop", "server wait", "stop"]


def test_stop_before_the_start_succeeded(log: list[str]) -> None:
    subject = service.Service("nova-lite-x", "x", Recorder(log, missing=10**9), "h1")
    ended: list[BaseException] = []

    def start() -> None:
        try:
            subject.start()
        except service.Stopped as error:
            ended.append(error)

    starting = threading.Thread(target=start)
    starting.start()
    assert subject.stop(1)
    starting.join(5)
    assert len(ended) == 1
    assert "server start" not in log


def test_other_errors_of_the_start_are_not_repeated(log: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    manager = Recorder(log)
    monkeypatch.setattr(manager, "init_host", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        service.Service("nova-lite-x", "x", manager, "h1").start()


def test_drain_ends_at_the_deadline(log: list[str]) -> None:
    manager = Recorder(log)
    manager.drain_s = 3.0
    subject = service.Service("nova-lite-x", "x", manager, "h1")
    subject.start()
    begin = time.monotonic()
    assert not subject.stop(0.1)
    assert time.monotonic() - begin < 2.5


def test_health_is_the_managers_and_the_servers(log: list[str]) -> None:
    manager = Recorder(log)
    subject = service.Service("nova-lite-x", "x", manager, "h1")
    assert not subject.is_healthy(), "not started"
    subject.start()
    manager.healthy = False
    assert not subject.is_healthy()
    manager.healthy = True
    subject._server.answer = False  # type: ignore[union-attr]
    assert not subject.is_healthy()
    subject.stop(1)


def test_gate_opens_gives_up_or_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "RETRY_FIRST_S", 0.001)
    missing = 2

    def check() -> None:
        nonlocal missing
        missing -= 1
        if missing >= 0:
            raise exception.DatabaseUnavailable

    service.Gate("database", check).start()
    assert missing == -1
    missing = 10**9
    service.Gate("database", check, limit_s=0.01).start()

    def wrong() -> None:
        raise exception.ConfigInvalid(detail="old schema")

    with pytest.raises(exception.ConfigInvalid):
        service.Gate("database", wrong).start()
    gate = service.Gate("database", check)
    gate.stop(1)
    with pytest.raises(service.Stopped):
        gate.start()


@pytest.fixture
def conf() -> Iterator[cfg.ConfigOpts]:
    private = cfg.ConfigOpts()
    default.register(private)
    wsgi_options.register(private)
    private([], default_config_files=[], default_config_dirs=[])
    private.set_override("osapi_compute_listen", "127.0.0.1")
    private.set_override("osapi_compute_listen_port", 0)
    yield private
    private.clear()


def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]


def test_wsgi_service_listens_by_its_own_options(conf: cfg.ConfigOpts) -> None:
    import urllib.request

    conf.set_override("osapi_compute_workers", 3)
    subject = service.WSGIService("osapi_compute", lambda: hello, conf)
    assert subject.workers == 3
    assert not subject.is_healthy()
    subject.start()
    assert subject.url == f"http://127.0.0.1:{subject.port}"
    with urllib.request.urlopen(subject.url, timeout=5) as answer:
        assert answer.read() == b"hello"
    assert subject.is_healthy()
    assert subject.stop(5)
    with pytest.raises(OSError):
        urllib.request.urlopen(subject.url, timeout=5)
    subject.close()
    with pytest.raises(service.Stopped):
        subject.start()


def test_a_taken_port_is_said(conf: cfg.ConfigOpts) -> None:
    first = service.WSGIService("osapi_compute", lambda: hello, conf)
    with pytest.raises(exception.ConfigInvalid, match=f"127.0.0.1:{first.port}: Address already in use"):
        service.WSGIService("other", lambda: hello, conf, ("127.0.0.1", first.port))
    first.close()


def test_tls_without_files_is_said(conf: cfg.ConfigOpts) -> None:
    conf.set_override("enabled_ssl_apis", ["osapi_compute"])
    with pytest.raises(exception.ConfigInvalid, match="ssl_cert_file"):
        service.WSGIService("osapi_compute", lambda: hello, conf)
    conf.set_override("ssl_cert_file", "/nonexistent", group="wsgi")
    conf.set_override("ssl_key_file", "/nonexistent", group="wsgi")
    with pytest.raises(exception.ConfigInvalid, match="No such file"):
        wsgi.tls_context(conf)


def test_an_address_that_is_not_ours_is_said() -> None:
    with pytest.raises(exception.ConfigInvalid, match=r"192\.0\.2\.1:80"):
        listening.bind("192.0.2.1", 80)
