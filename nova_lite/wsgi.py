"""HTTP servers for WSGI applications: eventlet's under eventlet, cheroot's under native threads, the same promises.

A server is given a listening socket, so that a parent may bind it before it forks. ``stop`` takes no new connection,
closes the idle ones and lets requests in flight finish until the deadline; who has connected and said nothing yet may
have no processor, and is given a moment for the first request.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from oslo_config import cfg
from oslo_log import log as logging

from nova_lite import clock, concurrency, exception, listening

LOG = logging.getLogger(__name__)

Application = Callable[..., Any]

# Seconds between closing the door and locking it.
LAST_CALL_S = 0.15

# Seconds between two looks of cheroot's accepting thread at its stop flag.
LOOK_UP_S = 0.2
# Seconds that a server told to end waits at most for the first request of connections that are made, and between looks.
FIRST_WORDS_S, WORDS_LOOK_S = 1.0, 0.02



@dataclass(frozen=True)
class Limits:
    """What a client may take of a server. Seconds, bytes, counts."""

    keep_alive: bool = True
    client_timeout_s: int = 60
    max_header_line: int = 16384
    max_header_size: int = 65536
    green_threads: int = 1000
    threads: int = 32

    @classmethod
    def of(cls, conf: cfg.ConfigOpts) -> Limits:
        group = conf.wsgi
        return cls(
            keep_alive=group.keep_alive,
            client_timeout_s=group.client_socket_timeout,
            max_header_line=group.max_header_line,
            max_header_size=group.max_header_size,
            green_threads=group.green_threads,
            threads=group.threads,
        )


def tls_context(conf: cfg.ConfigOpts) -> ssl.SSLContext:
    """The server side of TLS by the options of [wsgi].

    :raises ConfigInvalid: a file is not named, cannot be read or does not fit.
    """
    group = conf.wsgi
    for name in ("ssl_cert_file", "ssl_key_file"):
        if not getattr(group, name):
            raise exception.ConfigInvalid(detail=f"[DEFAULT] enabled_ssl_apis needs [wsgi] {name}")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(group.ssl_cert_file, group.ssl_key_file)
        if group.ssl_ca_file:
            context.load_verify_locations(group.ssl_ca_file)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise exception.ConfigInvalid(detail=f"[wsgi] ssl_cert_file, ssl_key_file, ssl_ca_file: {error}") from error
    return context


class Server:
    """One application on one listening socket.

    ``stays``: the socket is another's, too, and goes on listening. ``is_shared``: others of the same parent accept
    there, too, and it is the parent who lets nobody in any more.
    """

    def __init__(
        self, name: str, app: Application, sock: socket.socket, limits: Limits, tls: ssl.SSLContext | None = None,
        stays: bool = False, is_shared: bool = False,
    ) -> None:  # fmt: skip
        self.name = name
        self._app = app
        self._sock = sock
        self._limits = limits
        self._tls = tls
        self._stays = stays
        self._is_shared = is_shared

    def start(self) -> None:
        """Serve in the background."""
        raise NotImplementedError

    def stop(self, timeout_s: float) -> bool:
        """True when every request in flight was finished within so many seconds."""
        deadline = clock.Deadline(timeout_s)
        # Connections that the kernel accepted but we did not would be reset: let no more of them in, serve those.
        # In a socket that stays they wait for the next process.
        if not self._stays:
            if not self._is_shared:
                listening.refuse_quietly(self._sock)
            concurrency.sleep(min(LAST_CALL_S, deadline.left()))
            _wait_while(lambda: listening.has_queue(self._sock), deadline)
        return self._drain(deadline)

    def _drain(self, deadline: clock.Deadline) -> bool:
        raise NotImplementedError


def _wait_while(condition: Callable[[], object], deadline: clock.Deadline) -> None:
    """For FIRST_WORDS_S at most."""
    end = clock.monotonic() + min(FIRST_WORDS_S, deadline.left())
    while condition() and clock.monotonic() < end:
        concurrency.sleep(WORDS_LOOK_S)


class GreenServer(Server):
    """eventlet.wsgi: a green thread a connection."""

    def start(self) -> None:
        eventlet, module = concurrency.green_module("eventlet"), concurrency.green_module("eventlet.wsgi")
        module.MAX_REQUEST_LINE = module.MAX_HEADER_LINE = self._limits.max_header_line
        module.MAX_TOTAL_HEADER_SIZE = self._limits.max_header_size
        sock = self._sock
        if self._tls is not None:
            # the handshake is done by the connection's own green thread, not by the one that accepts
            sock = self._sock = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        self._silent: set[Any] = set()
        self._draining = False
        self._serving = eventlet.spawn(
            module.server,
            listening.Patient(sock, gives_up=False),
            self._app,
            log=_QuietLog(),
            log_output=False,
            debug=False,
            protocol=self._protocol(module),
            custom_pool=self._pool(eventlet, module),
            keepalive=self._limits.keep_alive,
            socket_timeout=self._limits.client_timeout_s,
            url_length_limit=self._limits.max_header_line,
            capitalize_response_headers=False,
        )

    def _pool(self, eventlet: Any, module: Any) -> Any:
        """Green threads for connections; a new one counts as busy, so that the server's end does not cut it off."""
        silent, door = self._silent, self._sock

        class Pool(eventlet.GreenPool):  # type: ignore[misc]
            def spawn(self, process: Callable[[Any], Any], connection: list[Any]) -> Any:
                connection[2] = module.STATE_REQUEST
                silent.add(connection[1])
                return super().spawn(process, connection)

            def waitall(self) -> None:
                """Nobody accepts any more: the door is closed before the last request is done, not after."""
                door.close()
                super().waitall()

        return Pool(self._limits.green_threads)

    def _protocol(self, module: Any) -> Any:
        server = self

        class Protocol(module.HttpProtocol):  # type: ignore[misc]
            def parse_request(self) -> bool:
                server._silent.discard(self.request)
                good: bool = super().parse_request()
                if server._draining:
                    self.close_connection = True
                return good

            def finish(self) -> None:
                server._silent.discard(self.request)
                super().finish()

        return Protocol

    def _drain(self, deadline: clock.Deadline) -> bool:
        eventlet = concurrency.green_module("eventlet")
        self._draining = True
        # Killed while it accepts: its clean-up closes idle connections and waits for the busy ones.
        concurrency.spawn(self._serving.kill)
        _wait_while(lambda: self._silent, deadline)
        for sock in list(self._silent):
            concurrency.green_module("eventlet.greenio").shutdown_safe(sock)
        try:
            with eventlet.Timeout(deadline.left()):
                self._serving.wait()
        except eventlet.Timeout:
            return False
        except concurrency.green_module("greenlet").GreenletExit:
            pass
        return True


class _QuietLog:
    """Takes eventlet's file-like log; what it says about a connection is of interest only when debugging."""

    def write(self, text: str) -> None:
        if text.strip():
            LOG.debug("%s", text.rstrip())

    info = debug = error = write


class ThreadedServer(Server):
    """cheroot: a pool of native threads."""

    def start(self) -> None:
        limits, sock, tls = self._limits, self._sock, self._tls
        silent = self._silent = weakref.WeakSet[Any]()
        server = _cheroot_server(sock, silent)(
            sock.getsockname()[:2],
            self._app,
            numthreads=limits.threads,
            max=limits.threads,
            request_queue_size=listening.BACKLOG,
            timeout=limits.client_timeout_s,
            server_name="nova-lite",
        )
        server.expiration_interval = LOOK_UP_S
        server.max_request_header_size = limits.max_header_size
        server.keep_alive_conn_limit = limits.green_threads if limits.keep_alive else 0
        if tls is not None:
            server.ssl_adapter = _tls_adapter(tls, silent.add)
        self._server = server
        server.prepare()
        concurrency.spawn(server.serve)

    def _drain(self, deadline: clock.Deadline) -> bool:
        server = self._server
        # Accepting ends before anything else, and the door is closed: who knocks is refused, or comes to another.
        with contextlib.suppress(KeyError):
            server._connections._selector.unregister(self._sock)
        concurrency.sleep(min(WORDS_LOOK_S, deadline.left()))
        self._sock.close()
        _wait_while(lambda: self._silent, deadline)
        server.draining = True
        server.shutdown_timeout = deadline.left()
        stopping = concurrency.spawn(self._server.stop)
        try:
            stopping.wait(deadline.left())
        except TimeoutError:
            return False
        return True


def _cheroot_server(sock: socket.socket, silent: weakref.WeakSet[Any]) -> Any:
    """cheroot's server on a socket that exists already.

    :param silent: the sockets of connections that are made and have said nothing yet.
    """
    from cheroot import wsgi as cheroot

    class Connection(cheroot.Server.ConnectionClass):  # type: ignore[misc]
        def close(self) -> None:
            """What is closed is not waited for: the object itself lives until a garbage collection."""
            silent.discard(self.socket)
            super().close()

    class Bound(cheroot.Server):
        ConnectionClass = Connection
        version = "nova-lite"
        draining = False
        _greeted: weakref.WeakSet[Any] = weakref.WeakSet()

        def bind(self, family: int, kind: int, proto: int = 0) -> Any:
            self.socket = listening.Patient(sock, gives_up=True, took=silent.add)
            return self.socket

        def prepare(self) -> None:
            """Whom another process was quicker to accept is not waited for: others wait meanwhile."""
            super().prepare()
            sock.setblocking(False)

        def process_conn(self, conn: Any) -> None:
            """A new connection waits without a thread for its first bytes: silent clients keep nobody out."""
            if conn in self._greeted:
                silent.discard(conn.socket)
                super().process_conn(conn)
            elif self.draining:  # its accepting thread had no processor; nobody would look at it again
                conn.socket.settimeout(FIRST_WORDS_S)
                super().process_conn(conn)
            else:
                self._greeted.add(conn)
                self._connections.put(conn)  # type: ignore[attr-defined]

        def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
            LOG.log(level, "%s", msg, exc_info=traceback)

    return Bound


def _tls_adapter(context: ssl.SSLContext, took: Callable[[Any], object]) -> Any:
    """cheroot's way to TLS, with the handshake in the worker: a silent client must not keep others from connecting.

    :param took: told of each connection's socket, which stands for the one that was accepted.
    """
    from cheroot import makefile
    from cheroot.ssl import Adapter

    class Tls(Adapter):
        def __init__(self) -> None:
            super().__init__(None, None)

        def bind(self, sock: Any) -> Any:
            return sock

        def wrap(self, sock: Any) -> tuple[Any, dict[str, str]]:
            wrapped = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            took(wrapped)
            return wrapped, self.get_environ()

        def get_environ(self, *args: Any) -> dict[str, str]:
            return {"wsgi.url_scheme": "https", "HTTPS": "on"}

        def makefile(self, sock: Any, mode: str = "r", bufsize: int = -1) -> Any:
            return (makefile.StreamReader if "r" in mode else makefile.StreamWriter)(sock, mode, bufsize)

    return Tls()


def make_server(
    name: str, app: Application, sock: socket.socket, limits: Limits, tls: ssl.SSLContext | None = None,
    stays: bool = False, is_shared: bool = False,
) -> Server:  # fmt: skip
    """The server that fits the concurrency backend."""
    kind = GreenServer if concurrency.is_green() else ThreadedServer
    return kind(name, app, sock, limits, tls, stays, is_shared)
