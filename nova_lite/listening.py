"""Listening sockets: made, closed to newcomers without a word, patient where a process is out of descriptors."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import select
import socket
import struct
from collections.abc import Callable
from typing import Any

from oslo_log import log as logging

from nova_lite import clock, concurrency, exception

LOG = logging.getLogger(__name__)

BACKLOG = 1024

# What accept() says when there is no descriptor or memory for a connection, and when its client has left already.
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_CLIENT_GONE = frozenset({errno.ECONNABORTED, errno.ECONNRESET, errno.EPROTO})
# Seconds before the next try, and between two words about it.
NO_ROOM_S, SAID_EVERY_S = 0.1, 10.0

SO_ATTACH_FILTER = 26  # <asm-generic/socket.h>; the socket module does not name it
# Classic BPF on a segment from its TCP header on (RFC 9293, 3.1): code, jump if true, jump if false, operand.
_DROP_SYN = (
    (0x30, 0, 0, 13),  # load the byte of flags
    (0x54, 0, 0, 0x12),  # SYN and ACK of them
    (0x15, 0, 1, 0x02),  # SYN alone?
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFFFFFF),  # keep all of it
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

    By then this socket is closed and the answer is a clean refusal, or somebody else listens there and serves. What
    ends a handshake that has begun passes: its client takes itself for connected.
    """
    steps = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in _DROP_SYN))
    program = struct.pack("HL", len(_DROP_SYN), ctypes.addressof(steps))
    with contextlib.suppress(OSError):  # another kernel: newcomers are reset when the socket closes
        sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def has_queue(sock: socket.socket) -> bool:
    """Whether somebody is connected there whom no process has accepted yet; of a closed one nobody is."""
    if sock.fileno() < 0:
        return False
    poll = concurrency.native_module("select").poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


class Patient:
    """A listening socket that survives what both libraries do not: a process or kernel that is out of descriptors.

    One of them gives up accepting for good, the other tries again without a pause and looks after nobody meanwhile.
    Here the client waits in the queue of the kernel, and the server goes on with those it has.
    """

    def __init__(
        self, sock: socket.socket, gives_up: bool, took: Callable[[Any], object] = lambda accepted: None
    ) -> None:  # fmt: skip
        """:param gives_up: say TimeoutError after the pause, else try until somebody comes.
        :param took: told of each connection's socket as soon as it is not the kernel's any more.
        """
        self._sock = sock
        self._gives_up = gives_up
        self._took = took
        self._said_at: float | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def accept(self) -> Any:
        while True:
            try:
                accepted = self._sock.accept()
                self._took(accepted[0])
                return accepted
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
