"""Reading bodies: lengths and chunks."""

from __future__ import annotations

import io
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.api.middleware.size_limit import LimitedReader
from nova_lite.api.openstack import body


class Trickle(io.RawIOBase):
    """Gives one byte at a time, as a slow client does."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int = -1) -> bytes:
        got, self._data = self._data[:1], self._data[1:]
        return got


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"CONTENT_LENGTH": "3"}, b"abc"),
        ({"CONTENT_LENGTH": "0"}, b""),
        ({"CONTENT_LENGTH": "-1"}, b""),
        ({}, b""),
        ({"HTTP_TRANSFER_ENCODING": "Chunked"}, b"abcdef"),
        ({"wsgi.input_terminated": True}, b"abcdef"),
    ],
)
def test_read(environ: dict[str, Any], expected: bytes) -> None:
    assert body.read({"wsgi.input": io.BytesIO(b"abcdef"), **environ}) == expected


def test_a_length_that_is_none() -> None:
    with pytest.raises(exception.Invalid):
        body.read({"wsgi.input": io.BytesIO(b""), "CONTENT_LENGTH": "x"})
    assert body.read({}) == b""


@pytest.mark.parametrize("kind", [ValueError, OverflowError, ConnectionResetError])
def test_chunks_that_are_none(kind: type[Exception]) -> None:
    class Broken:
        def read(self, *size: int) -> bytes:
            raise kind

    for environ in ({"HTTP_TRANSFER_ENCODING": "chunked"}, {"CONTENT_LENGTH": "3"}):
        with pytest.raises(exception.MalformedBody):
            body.read({"wsgi.input": Broken(), **environ})


def test_integers_keep_all_their_digits() -> None:
    assert body.loads(b'{"a": 123456789012345678901234567890}') == {"a": 123456789012345678901234567890}


@pytest.mark.parametrize("stream", [io.BytesIO, Trickle])
def test_a_body_without_a_length_ends_at_the_limit(stream: Any) -> None:
    assert LimitedReader(stream(b"x" * 10), 10).read() == b"x" * 10
    with pytest.raises(exception.TooLarge):
        LimitedReader(stream(b"x" * 11), 10).read()
    endless = LimitedReader(stream(b"x" * 11), 10)
    with pytest.raises(exception.TooLarge):
        for _ in range(12):
            assert endless.read(3)
