"""A listening socket when a process, or the kernel, is out of descriptors, and when its server is about to end."""

from __future__ import annotations

import errno
import socket
from unittest import mock

import pytest

from nova_lite import concurrency, listening


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was slept, each time."""
    taken: list[float] = []
    monkeypatch.setattr(concurrency, "sleep", taken.append)
    return taken


def _socket(*answers: object) -> mock.Mock:
    return mock.Mock(accept=mock.Mock(side_effect=answers))


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_without_room_one_waits_and_goes_on(naps: list[float], number: int) -> None:
    sock = _socket(OSError(number, "no room"), OSError(number, "no room"), ("connection", "peer"))
    assert listening.Patient(sock, gives_up=False).accept() == ("connection", "peer")
    assert naps == [listening.NO_ROOM_S] * 2, "it does not spin"


def test_who_has_others_to_look_after_is_let_go_after_the_pause(naps: list[float]) -> None:
    sock = _socket(OSError(errno.EMFILE, "no room"), ("connection", "peer"))
    patient = listening.Patient(sock, gives_up=True)
    with pytest.raises(TimeoutError):
        patient.accept()
    assert naps == [listening.NO_ROOM_S]
    assert patient.accept() == ("connection", "peer")


def test_a_client_that_left_the_queue_is_no_error_and_a_closed_socket_is(naps: list[float]) -> None:
    sock = _socket(OSError(errno.ECONNABORTED, "gone"), OSError(errno.EBADF, "closed"))
    with pytest.raises(OSError, match="closed"):
        listening.Patient(sock, gives_up=False).accept()
    assert naps == []


def test_who_takes_a_connection_is_told_before_anybody_else_sees_it(naps: list[float]) -> None:
    told: list[object] = []
    sock = _socket(OSError(errno.EMFILE, "no room"), ("connection", "peer"))
    assert listening.Patient(sock, gives_up=False, took=told.append).accept() == ("connection", "peer")
    assert told == ["connection"]


def test_who_asks_to_connect_is_not_heard_any_more_and_who_is_about_to_be_connected_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door, socket.socket() as late:
        door.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 5)  # a handshake lasts until the first bytes
        door.settimeout(2)
        early = socket.create_connection(door.getsockname())
        listening.refuse_quietly(door)
        late.settimeout(0.3)
        with pytest.raises(TimeoutError):
            late.connect(door.getsockname())
        assert not listening.has_queue(door)
        early.sendall(b"heard")
        assert listening.has_queue(door)
        served, _ = door.accept()
        assert served.recv(5) == b"heard"
        early.close()
        served.close()
