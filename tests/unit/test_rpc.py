"""RPC on the in-memory transport, in this process."""

from __future__ import annotations

import datetime
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from oslo_config import cfg

from nova_lite import exception, manager, objects, rpc, rpc_memory, rpc_wire
from nova_lite.conf import rpc as rpc_options
from nova_lite.context import RequestContext


class Work(manager.Manager):
    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.notes: list[Any] = []
        self.noted = threading.Event()
        self.state = "private"

    def echo(self, ctxt: RequestContext, value: Any) -> Any:
        return value

    def who(self, ctxt: RequestContext) -> tuple[str | None, str | None, list[str], str]:
        return ctxt.request_id, ctxt.project_id, ctxt.roles, self.host

    def refuse(self, ctxt: RequestContext) -> None:
        raise exception.InstanceIsLocked(instance_uuid="u1")

    def crash(self, ctxt: RequestContext) -> None:
        raise ValueError("boom")

    @rpc.expected(KeyError)
    def miss(self, ctxt: RequestContext) -> None:
        raise KeyError("nothing")

    def note(self, ctxt: RequestContext, value: Any) -> None:
        self.notes.append((value, rpc_wire.message_age_s(ctxt)))
        self.noted.set()

    def hang(self, ctxt: RequestContext) -> None:
        time.sleep(1)


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Work]]:
    conf = cfg.CONF
    rpc_options.register(conf)
    conf([], default_config_files=[], default_config_dirs=[])
    rpc.init(conf, "kombu+memory:///")
    works = {host: Work(host) for host in ("h1", "h2")}
    running = [rpc.get_server("work", host, works[host].endpoints()) for host in works]
    for server in running:
        server.start()
    yield works
    stopping = [threading.Thread(target=lambda each=each: (each.stop(), each.wait())) for each in running]
    for thread in stopping:
        thread.start()
    for thread in stopping:
        thread.join()
    rpc.cleanup()
    rpc_memory.reset()


@pytest.fixture
def client(servers: dict[str, Work]) -> rpc.Client:
    for work in servers.values():
        work.notes.clear()
        work.noted.clear()
    return rpc.get_client("work")


CTXT = RequestContext(project_id="p1", user_id="u1", roles=["member"], auth_token="secret", overwrite=False)


def test_call_brings_values_back_as_they_were(client: rpc.Client) -> None:
    value = {"at": datetime.datetime(2026, 1, 1), "pair": (1, "x"), "kp": objects.FixedIP(address="10.0.0.1")}
    assert client.call(CTXT, "echo", value=value) == value


def test_context_travels_and_host_is_chosen(client: rpc.Client) -> None:
    assert client.call(CTXT, "who", host="h2") == (CTXT.request_id, "p1", ["member"], "h2")


def test_our_errors_are_raised_again_with_facts(client: rpc.Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), pytest.raises(exception.InstanceIsLocked) as caught:
        client.call(CTXT, "refuse")
    assert type(caught.value) is exception.InstanceIsLocked
    assert caught.value.facts == {"instance_uuid": "u1"}
    assert not [record for record in caplog.records if record.exc_info]


def test_a_bug_becomes_an_internal_error_with_a_traceback_in_the_log(
    client: rpc.Client, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(exception.NovaLiteError, match="ValueError: boom"):
        client.call(CTXT, "crash")
    assert [record for record in caplog.records if record.exc_info]


def test_declared_errors_leave_no_traceback(client: rpc.Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), pytest.raises(exception.NovaLiteError, match="KeyError"):
        client.call(CTXT, "miss")
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("method", ["nothing", "init_host", "stop", "state", "__init__", "_private"])
def test_only_public_methods_beyond_the_life_cycle_can_be_called(client: rpc.Client, method: str) -> None:
    with pytest.raises(exception.NovaLiteError, match="does not support RPC method"):
        client.call(CTXT, method)


def test_another_version_is_refused(servers: dict[str, Work]) -> None:
    for newer in ("2.0", "1.99"):
        with pytest.raises(exception.UnreadableMessage, match="echo is not understood by work: .*version"):
            rpc.get_client("work", version=newer).call(CTXT, "echo", value=1)


def test_a_version_that_is_pinned_is_the_highest_that_is_sent(
    servers: dict[str, Work], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server of before an upgrade is spoken to in its own version, by calls and by casts."""
    new = rpc.get_client("work", version="1.7")
    monkeypatch.setattr(rpc, "_pin", {"work": "1.0"}.get)
    assert new.call(CTXT, "echo", value=1) == 1
    new.cast(CTXT, "note", host="h1", value="old words")
    assert servers["h1"].noted.wait(5) and servers["h1"].notes[0][0] == "old words"
    rpc.pin_versions(lambda topic: "1.9")  # nobody is spoken to in a version higher than our own
    assert new._address(None) == {"version": "1.7"}


def test_an_argument_of_the_future_is_refused_to_the_caller(servers: dict[str, Work]) -> None:
    """An object of a later major version: the verb is not begun, the caller may try again after an upgrade."""
    flavor = objects.Flavor("1", "m1", 1, 1, 1).to_primitive()
    future = rpc._Encoded(None)
    future.value = {**flavor, "version": "9.0"}
    with pytest.raises(exception.UnreadableMessage, match="echo is not understood .*Flavor 9.0"):
        rpc.get_client("work").call(CTXT, "echo", value=future)


def test_an_answer_of_the_future_is_said_to_be_one(servers: dict[str, Work], monkeypatch: pytest.MonkeyPatch) -> None:
    flavor = objects.Flavor("1", "m1", 1, 1, 1)
    wire = {**flavor.to_primitive(), "version": "9.0"}
    monkeypatch.setattr(objects.Flavor, "to_primitive", lambda self: wire)
    monkeypatch.setattr(Work, "echo", lambda self, ctxt, value: flavor)
    with pytest.raises(exception.UnreadableObject, match="Flavor 9.0 is not understood"):
        rpc.get_client("work").call(CTXT, "echo", value=1)


def test_call_without_answer_times_out(client: rpc.Client) -> None:
    with pytest.raises(exception.CallTimeout):
        client.call(CTXT, "hang", host="h1", timeout_s=0.2)
    with pytest.raises(exception.CallTimeout):
        rpc.get_client("nobody").call(CTXT, "echo", timeout_s=0.2, value=1)


def test_cast_and_fanout_arrive(client: rpc.Client, servers: dict[str, Work]) -> None:
    client.cast(CTXT, "note", host="h2", value=1)
    assert servers["h2"].noted.wait(5)
    assert servers["h2"].notes[0][0] == 1
    assert 0 <= servers["h2"].notes[0][1] < 5
    assert not servers["h1"].notes
    client.fanout(CTXT, "note", value=2)
    assert servers["h1"].noted.wait(5)


def test_what_cannot_travel_is_the_casters_error(client: rpc.Client) -> None:
    with pytest.raises(TypeError):
        client.cast(CTXT, "note", value=object())


def test_a_message_of_hours_ago_is_dropped(
    client: rpc.Client, servers: dict[str, Work], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    ttl_s = cfg.CONF.rpc.message_ttl
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: real() - ttl_s - rpc.SKEW_S - 1)
        wire = rpc_wire.context(CTXT, ttl_s)
    rpc._send((client, "h1", False, wire, "note", {"value": rpc._Encoded(1)}))
    client.cast(CTXT, "note", host="h1", value=2)
    assert servers["h1"].noted.wait(5)
    assert [value for value, _ in servers["h1"].notes] == [2]


def test_the_clocks_of_two_hosts_may_differ_by_an_hour(
    client: rpc.Client, servers: dict[str, Work], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: real() - 3600)
        wire = rpc_wire.context(CTXT, 10)
    rpc._send((client, "h1", False, wire, "note", {"value": rpc._Encoded(3)}))
    assert servers["h1"].noted.wait(5)
    assert [value for value, _ in servers["h1"].notes] == [3]


def test_the_token_does_not_travel() -> None:
    assert "secret" not in str(rpc_wire.context(CTXT, 5))


def test_without_transport_casts_are_dropped_and_calls_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc, "_transport", None)
    monkeypatch.setattr(rpc, "_outbox", None)
    rpc.get_client("work").cast(CTXT, "note", value=1)
    with pytest.raises(exception.BrokerUnavailable):
        rpc.get_client("work").call(CTXT, "echo", timeout_s=1, value=1)


def test_server_answers_itself(servers: dict[str, Work]) -> None:
    assert rpc.get_client("work").call(CTXT, "ping", host="h1") == "pong"


def test_a_server_ends_at_once(servers: dict[str, Work]) -> None:
    """Neither its consumer's poll nor an idle worker of its pool is waited for."""

    def seconds() -> float:
        server = rpc.get_server("solo", "h1", [Work("h1")])
        server.start()
        assert rpc.get_client("solo").call(CTXT, "echo", value=1) == 1
        begin = time.monotonic()
        server.stop()
        server.wait()
        return time.monotonic() - begin

    assert min(seconds() for _ in range(3)) < 0.6  # of three: a machine may be busy once


def test_a_server_without_transport_is_refused_and_stops_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc, "_transport", None)
    server = rpc.get_server("solo", "h1", [])
    with pytest.raises(exception.BrokerUnavailable):
        server.start()
    server.stop()
    server.wait()


def test_a_broker_that_refuses_is_unavailable_not_fatal(
    servers: dict[str, Work], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = rpc.get_server("solo", "h1", [])

    class Refused:
        def start(self) -> None:
            raise rpc.amqp.exceptions.AccessRefused("ACCESS_REFUSED")

    monkeypatch.setattr(server, "_make", Refused)
    with pytest.raises(exception.BrokerUnavailable, match="ACCESS_REFUSED"):
        server.start()


@pytest.mark.parametrize("url", ["zz://u:geheim@h/", "nonsense:geheim"])
def test_a_transport_url_that_cannot_work_is_one_sentence_without_it(url: str) -> None:
    # last in this file, because it closes the transport the others share
    with pytest.raises(exception.ConfigInvalid, match="transport_url") as caught:
        rpc.init(cfg.CONF, url)
    assert "geheim" not in str(caught.value)
