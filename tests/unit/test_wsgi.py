"""A listening socket when a process, or the kernel, is out of descriptors."""

from __future__ import annotations

import errno
from unittest import mock

import pytest

from nova_lite import concurrency, wsgi


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
    assert wsgi._Patient(sock, gives_up=False).accept() == ("connection", "peer")
    assert naps == [wsgi.NO_ROOM_S] * 2, "it does not spin"


def test_who_has_others_to_look_after_is_let_go_after_the_pause(naps: list[float]) -> None:
    sock = _socket(OSError(errno.EMFILE, "no room"), ("connection", "peer"))
    patient = wsgi._Patient(sock, gives_up=True)
    with pytest.raises(TimeoutError):
        patient.accept()
    assert naps == [wsgi.NO_ROOM_S]
    assert patient.accept() == ("connection", "peer")


def test_a_client_that_left_the_queue_is_no_error_and_a_closed_socket_is(naps: list[float]) -> None:
    sock = _socket(OSError(errno.ECONNABORTED, "gone"), OSError(errno.EBADF, "closed"))
    with pytest.raises(OSError, match="closed"):
        wsgi._Patient(sock, gives_up=False).accept()
    assert naps == []
