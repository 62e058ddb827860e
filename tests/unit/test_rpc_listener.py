"""What a stopped RPC server leaves to the next; with a real broker: tests/integration/test_rolling_restart.py."""

from __future__ import annotations

from typing import Any
from unittest import mock

from nova_lite import rpc, rpc_listener


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
