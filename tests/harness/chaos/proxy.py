"""A TCP proxy between daemons and a server that they need, which can do to the connections what networks do."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import threading
from collections.abc import Callable

# What a client's driver sends to commit: MySQL's and PostgreSQL's own framing.
COMMITS = (b"\x07\x00\x00\x00\x03COMMIT", b"Q\x00\x00\x00\x0bCOMMIT\x00")
UP, DOWN = "up", "down"
LOOK_S = 0.02
Filter = Callable[[bytes], bytes]


class _Link:
    """One client's connection and ours to the server; ``is_spoiled``: its client has committed and shall not know."""

    def __init__(self, peer_port: int, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.peer_port = peer_port
        self._ends = (client, server)
        self.is_spoiled = False

    def abort(self) -> None:
        for end in self._ends:
            end.transport.abort()


class Proxy:
    """Listens on ``port`` of the loopback address for the server on ``upstream``; both from ``start`` to ``stop``.

    Knobs, which may be turned at any time from any thread: ``held`` are directions in which nothing passes (it waits,
    as packets are sent again after a partition), for clients that ``is_held`` says are meant; ``is_refusing``: no new
    connection; ``delay_s`` of each piece; ``spoils``: the share of commits whose answer is replaced by a broken
    connection. ``make_filter`` makes what changes a connection's bytes on their way up.
    """

    def __init__(self, upstream: int, port: int = 0, make_filter: Callable[[], Filter] | None = None) -> None:
        self._upstream = upstream
        self._make_filter = make_filter
        self._links: set[_Link] = set()
        self._loop = asyncio.new_event_loop()
        self._chance = random.Random(upstream)
        self._socket = socket.create_server(("127.0.0.1", port))
        self._thread = threading.Thread(target=self._run, name=f"proxy-{upstream}", daemon=True)
        self.port: int = self._socket.getsockname()[1]
        self.spoiled = 0
        self.heal()

    def heal(self) -> None:
        """Everything passes again."""
        self.held: frozenset[str] = frozenset()
        self.is_held: Callable[[int], bool] = lambda peer_port: True
        self.is_refusing = False
        self.delay_s = 0.0
        self.spoils = 0.0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Cut every connection and listen no more."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def cut(self) -> None:
        """Break all connections of now."""
        self._loop.call_soon_threadsafe(lambda: [link.abort() for link in list(self._links)])

    # -- inside -----------------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, sock=self._socket))
        self._loop.run_forever()
        server.close()
        for link in list(self._links):
            link.abort()
        pending = asyncio.all_tasks(self._loop)
        for task in pending:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.is_refusing:
                raise ConnectionError
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            writer.transport.abort()
            return
        link = _Link(writer.get_extra_info("peername")[1], writer, to_server)
        self._links.add(link)
        change = self._make_filter() if self._make_filter else bytes
        try:
            await asyncio.gather(
                self._pump(link, UP, reader, to_server, change), self._pump(link, DOWN, from_server, writer, bytes)
            )
        finally:
            self._links.discard(link)
            link.abort()

    async def _pump(
        self, link: _Link, way: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, change: Filter
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                while way in self.held and self.is_held(link.peer_port):
                    await asyncio.sleep(LOOK_S)
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if link.is_spoiled and way == DOWN:
                    break  # the server has answered, so the commit is done
                if way == UP and self.spoils and data.startswith(COMMITS) and self._chance.random() < self.spoils:
                    link.is_spoiled = True
                    self.spoiled += 1
                writer.write(change(data))
                await writer.drain()
        link.abort()
