"""What a stopped RPC server leaves to the next, and whom one answers; with a real broker: tests/integration."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from oslo_config import cfg

from nova_lite import exception, rpc, rpc_listener, rpc_memory
from nova_lite.conf import rpc as rpc_options
from nova_lite.context import RequestContext


def _server(calls: list[str]) -> mock.Mock:
    """As oslo.messaging's rabbit driver has it: a request that comes off the wire is acknowledged at once."""

    def acknowledge(message: Any) -> None:
        calls.append("acknowledged")
        message.ack()

    consumer = mock.Mock(callback=acknowledge)
    server = mock.Mock()
    server.listener._poll_style_listener.conn._consumers = [consumer]
    server.stop.side_effect = lambda: calls.append("stopped")
    server.consumer = consumer
    return server


def test_a_server_that_was_stopped_acknowledges_nothing() -> None:
    calls: list[str] = []
    door, inner, message = rpc.Server("topic", "host", []), _server(calls), mock.Mock()
    door._server = inner
    inner.consumer.callback(mock.Mock())
    door.stop()
    inner.consumer.callback(message)
    assert calls == ["acknowledged", "stopped"]
    assert message.mock_calls == [], "neither acknowledged nor refused: the broker gives it to somebody else"


def test_a_driver_that_is_built_otherwise_is_left_alone() -> None:
    rpc_listener.leave_the_rest(object())
    rpc_listener.answer_who_comes_back(object())


class _Echo:
    def echo(self, ctxt: RequestContext, value: int) -> int:
        return value


@pytest.fixture
def server() -> Iterator[rpc.Server]:
    rpc_options.register(cfg.CONF)
    cfg.CONF([], default_config_files=[], default_config_dirs=[])
    rpc.init(cfg.CONF, "kombu+memory:///")
    server = rpc.get_server("echoes", "h", [_Echo()])
    server.start()
    yield server
    server.stop()
    server.wait()
    rpc.cleanup()
    rpc_memory.reset()


def test_a_client_that_was_held_for_gone_is_answered_again_soon(server: rpc.Server) -> None:
    """The driver's own minute would be a minute without answers after each long absence of the broker."""
    client, ctxt = rpc.get_client("echoes"), RequestContext(overwrite=False)
    assert client.call(ctxt, "echo", value=1, timeout_s=5) == 1
    driver: Any = rpc._transport._driver
    assert server._server is not None
    server._server.listener._poll_style_listener._obsolete_reply_queues.add(driver._reply_q, "a reply that was lost")
    with pytest.raises(exception.CallTimeout):
        client.call(ctxt, "echo", value=2, timeout_s=0.2)
    time.sleep(rpc_listener.GONE_S)
    assert client.call(ctxt, "echo", value=3, timeout_s=5) == 3
