"""A server on native threads; what both kinds promise over the wire: tests/functional/test_http_servers.py."""

from __future__ import annotations

import socket

from nova_lite import listening, wsgi


def test_a_server_that_ends_does_not_knock_at_a_door_that_stays() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door, door.dup() as others:
        server = wsgi.ThreadedServer("app", lambda environ, start: [], door, wsgi.Limits(), stays=True)
        server.start()
        assert server.stop(5)
        assert not listening.has_queue(others), "nobody but a client waits for the next process"


def test_a_connection_that_another_process_took_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        server = wsgi.ThreadedServer("app", lambda environ, start: [], door, wsgi.Limits())
        server.start()
        assert door.gettimeout() == 0, "who accepts looks after all other connections, too"
        assert server.stop(5)
