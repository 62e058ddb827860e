"""A filter of AMQP that loses every cast: its routing key is changed to one that nothing is bound to.

The broker takes such a message, confirms it and throws it away, so the sender cannot tell. Calls and their answers
pass: they carry the id of a call. AMQP 0-9-1 frames are type, channel, size, payload and an end mark.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

HEADER = struct.Struct(">BHI")
METHOD, CONTENT_HEADER, BODY = 1, 2, 3
PUBLISH = struct.pack(">HH", 60, 40)
GREETING = 8
CALL_ID = b"_msg_id"


@dataclass
class _Message:
    frames: list[bytes] = field(default_factory=list)
    body: bytes = b""
    missing: int = 0


class LostCasts:
    """Bytes of one connection from a daemon to the broker; ``lost`` counts the casts of all connections."""

    lost = 0

    def __init__(self) -> None:
        self._rest = b""
        self._is_greeted = False
        self._open: dict[int, _Message] = {}

    def __call__(self, data: bytes) -> bytes:
        self._rest += data
        out = []
        if not self._is_greeted and len(self._rest) >= GREETING:
            self._is_greeted = True
            out.append(self._rest[:GREETING])
            self._rest = self._rest[GREETING:]
        while self._is_greeted and len(self._rest) >= HEADER.size:
            kind, channel, size = HEADER.unpack_from(self._rest)
            end = HEADER.size + size + 1
            if len(self._rest) < end:
                break
            frame, self._rest = self._rest[:end], self._rest[end:]
            out.append(self._frame(kind, channel, frame))
        return b"".join(out)

    def _frame(self, kind: int, channel: int, frame: bytes) -> bytes:
        """What goes out now: a message is held until all of it is there."""
        payload = frame[HEADER.size : -1]
        if kind == METHOD and payload.startswith(PUBLISH):
            self._open[channel] = _Message([frame])
            return b""
        message = self._open.get(channel)
        if message is None or kind not in (CONTENT_HEADER, BODY):
            return frame
        message.frames.append(frame)
        if kind == CONTENT_HEADER:
            message.missing = int.from_bytes(payload[4:12], "big")
        else:
            message.body += payload
            message.missing -= len(payload)
        if message.missing > 0:
            return b""
        del self._open[channel]
        if CALL_ID not in message.body:
            LostCasts.lost += 1
            message.frames[0] = _misrouted(message.frames[0])
        return b"".join(message.frames)


def _misrouted(frame: bytes) -> bytes:
    """Basic.Publish with the last letter of its routing key changed: the length stays, so nothing else has to."""
    at = HEADER.size + len(PUBLISH) + 2  # a reserved short, then exchange and key as short strings
    at += 1 + frame[at]
    last = at + frame[at]
    return frame[:last] + b"~" + frame[last + 1 :]
