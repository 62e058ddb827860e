"""HTTP servers for WSGI applications: eventlet's under eventlet, cheroot's under native threads, the same promises.

A server is given a listening socket, so that a parent may bind it before it forks. ``stop`` takes no new connection,
closes the idle ones and lets requests in flight finish until the deadline.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import socket
import ssl
import struct
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from oslo_config import cfg
from oslo_log import log as logging

from nova_lite import clock, concurrency, exception

LOG = logging.getLogger(__name__)

Application = Callable[..., Any]

BACKLOG = 1024

# Seconds between closing the door and locking it.
LAST_CALL_S = 0.15

# Seconds between two looks of cheroot's accepting thread at its stop flag.
LOOK_UP_S = 0.2
# Seconds that a server told to end still waits for the first bytes of connections it has accepted.
LAST_WORDS_S = 0.1

# What accept() says when there is no descriptor or memory for a connection, and when its client has left already.
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_CLIENT_GONE = frozenset({errno.ECONNABORTED, errno.ECONNRESET, errno.EPROTO})
# Seconds before the next try, and between two words about it.
NO_ROOM_S, SAID_EVERY_S = 0.1, 10.0

SO_ATTACH_FILTER = 26  # <asm-generic/socket.h>; the socket module does not name it


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


def bind(host: str, port: int, shared: bool = False) -> socket.socket:
    """A listening socket; its connections inherit TCP_NODELAY.

    :param shared: other processes of the same user may listen there, too: the next one before this one ends.
    :raises ConfigInvalid: the address is taken or not ours; the text names it.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, proto)
    except OSError as error:
        raise exception.ConfigInvalid(detail=f"cannot listen on {host}:{port}: {error}") from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise exception.ConfigInvalid(detail=f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    return sock


def refuse_quietly(sock: socket.socket) -> None:
    """Let the kernel drop what newly asks to connect: the client's kernel asks again after a second.

    By then this socket is closed and the answer is a clean refusal, or somebody else listens there and serves.
    """
    drop_all = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF: return 0
    program = struct.pack("HL", 1, ctypes.addressof(drop_all))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


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


class _Patient:
    """A listening socket that survives what both libraries do not: a process or kernel that is out of descriptors.

    One of them gives up accepting for good, the other tries again without a pause and looks after nobody meanwhile.
    Here the client waits in the queue of the kernel, and the server goes on with those it has.
    """

    def __init__(self, sock: socket.socket, gives_up: bool) -> None:
        """:param gives_up: say TimeoutError after the pause, else try until somebody comes."""
        self._sock = sock
        self._gives_up = gives_up
        self._said_at: float | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def accept(self) -> Any:
        while True:
            try:
                return self._sock.accept()
            except OSError as error:
                if error.errno not in _NO_ROOM and error.errno not in _CLIENT_GONE:
                    raise
                self._rest(error)
            if self._gives_up:
                raise TimeoutError

    def _rest(self, error: OSError) -> None:
        if error.errno in _CLIENT_GONE:
            return
        if self._said_at is None or clock.monotonic() - self._said_at > SAID_EVERY_S:
            self._said_at = clock.monotonic()
            LOG.error("No connection can be accepted, clients wait: %s", error)
        concurrency.sleep(NO_ROOM_S)


class Server:
    """One application on one listening socket. ``stays``: the socket is another's, too, and goes on listening."""

    def __init__(
        self, name: str, app: Application, sock: socket.socket, limits: Limits, tls: ssl.SSLContext | None = None,
        stays: bool = False,
    ) -> None:  # fmt: skip
        self.name = name
        self._app = app
        self._sock = sock
        self._limits = limits
        self._tls = tls
        self._stays = stays

    def start(self) -> None:
        """Serve in the background."""
        raise NotImplementedError

    def stop(self, timeout_s: float) -> bool:
        """True when every request in flight was finished within so many seconds."""
        # Connections that the kernel accepted but we did not would be reset: let no more of them in, serve those.
        # In a socket that stays they wait for the next process.
        if not self._stays:
            with contextlib.suppress(OSError):
                refuse_quietly(self._sock)
                concurrency.sleep(LAST_CALL_S)
        return self._drain(timeout_s)

    def _drain(self, timeout_s: float) -> bool:
        raise NotImplementedError


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
        self._pool = eventlet.GreenPool(self._limits.green_threads)
        self._serving = eventlet.spawn(
            module.server,
            _Patient(sock, gives_up=False),
            self._app,
            log=_QuietLog(),
            log_output=False,
            debug=False,
            custom_pool=self._pool,
            keepalive=self._limits.keep_alive,
            socket_timeout=self._limits.client_timeout_s,
            url_length_limit=self._limits.max_header_line,
            capitalize_response_headers=False,
        )

    def _drain(self, timeout_s: float) -> bool:
        eventlet = concurrency.green_module("eventlet")
        # Killed while it accepts: its clean-up closes idle connections and waits for the busy ones.
        concurrency.spawn(self._serving.kill)
        try:
            with eventlet.Timeout(timeout_s):
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
        from cheroot import wsgi as cheroot

        limits, sock, tls = self._limits, self._sock, self._tls

        class Bound(cheroot.Server):
            """cheroot's server on a socket that exists already."""

            version = "nova-lite"
            draining = False
            _greeted: weakref.WeakSet[Any] = weakref.WeakSet()

            def bind(self, family: int, kind: int, proto: int = 0) -> Any:
                self.socket = _Patient(sock, gives_up=True)
                return self.socket

            def process_conn(self, conn: Any) -> None:
                """A new connection waits without a thread for its first bytes: silent clients keep nobody out."""
                if self.draining or conn in self._greeted:
                    super().process_conn(conn)
                else:
                    self._greeted.add(conn)
                    self._connections.put(conn)  # type: ignore[attr-defined]

            def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
                LOG.log(level, "%s", msg, exc_info=traceback)

        server = Bound(
            sock.getsockname()[:2],
            self._app,
            numthreads=limits.threads,
            max=limits.threads,
            request_queue_size=BACKLOG,
            timeout=limits.client_timeout_s,
            server_name="nova-lite",
        )
        server.expiration_interval = LOOK_UP_S
        server.max_request_header_size = limits.max_header_size
        server.keep_alive_conn_limit = limits.green_threads if limits.keep_alive else 0
        if tls is not None:
            server.ssl_adapter = _tls_adapter(tls)
        self._server = server
        server.prepare()
        concurrency.spawn(server.serve)

    def _drain(self, timeout_s: float) -> bool:
        self._server.shutdown_timeout = timeout_s
        # Connections that were accepted a moment ago and whose requests are on their way are served, not closed.
        self._server.draining = True
        concurrency.sleep(min(LAST_WORDS_S, timeout_s))
        stopping = concurrency.spawn(self._server.stop)
        try:
            stopping.wait(timeout_s)
        except TimeoutError:
            return False
        return True


def _tls_adapter(context: ssl.SSLContext) -> Any:
    """cheroot's way to TLS, with the handshake in the worker: a silent client must not keep others from connecting."""
    from cheroot import makefile
    from cheroot.ssl import Adapter

    class Tls(Adapter):
        def __init__(self) -> None:
            super().__init__(None, None)

        def bind(self, sock: Any) -> Any:
            return sock

        def wrap(self, sock: Any) -> tuple[Any, dict[str, str]]:
            wrapped = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            return wrapped, self.get_environ()

        def get_environ(self, *args: Any) -> dict[str, str]:
            return {"wsgi.url_scheme": "https", "HTTPS": "on"}

        def makefile(self, sock: Any, mode: str = "r", bufsize: int = -1) -> Any:
            return (makefile.StreamReader if "r" in mode else makefile.StreamWriter)(sock, mode, bufsize)

    return Tls()


def make_server(
    name: str, app: Application, sock: socket.socket, limits: Limits, tls: ssl.SSLContext | None = None,
    stays: bool = False,
) -> Server:  # fmt: skip
    """The server that fits the concurrency backend."""
    kind = GreenServer if concurrency.is_green() else ThreadedServer
    return kind(name, app, sock, limits, tls, stays)
