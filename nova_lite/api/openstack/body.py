"""From bytes to JSON, with nothing left that could surprise what is behind: every trick is a 400.

Refused: what JSON does not know (NaN, infinities, deep nesting, lone surrogates, broken UTF-8), duplicate keys (two
readers of one body must not see two bodies) and the character NUL, which no database keeps.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from nova_lite import exception

# text/plain is read as JSON, and so is a body without a type; only other foreign types are refused, as Nova does.
_READ_AS_JSON = frozenset({"", "application/json", "text/plain", "application/vnd.openstack.compute+json"})

_ESCAPED_NUL = re.compile(rb"\\u0000")


def read(environ: dict[str, Any]) -> bytes:
    """The body's bytes; the size limit is the affair of the filter before us.

    :raises MalformedBody: its chunks are none, or it ends before it should.
    """
    stream = environ.get("wsgi.input")
    if stream is None:
        return b""
    length = environ.get("CONTENT_LENGTH")
    if length:
        try:
            wanted = int(length)
        except ValueError:
            raise exception.Invalid("Malformed Content-Length") from None
        return _all_of(stream, wanted) if wanted > 0 else b""
    if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked" or environ.get("wsgi.input_terminated"):
        return _all_of(stream)
    return b""


def _all_of(stream: Any, *size: int) -> bytes:
    try:
        return bytes(stream.read(*size))
    except (ValueError, OverflowError, OSError):  # malformed chunks, or a client that went away, as the servers say it
        raise exception.MalformedBody from None


def check_type(environ: dict[str, Any]) -> None:
    """Refuse a body that says it is something other than JSON.

    :raises UnsupportedMedia: it does.
    """
    content_type = environ.get("CONTENT_TYPE") or ""
    if content_type.partition(";")[0].strip().lower() not in _READ_AS_JSON:
        raise exception.UnsupportedMedia


def loads(data: bytes) -> Any:
    """The JSON value in ``data``.

    :raises MalformedBody: it is not JSON, or one of the tricks above.
    """
    try:
        orjson.loads(data)  # the strict reader; its integers above 64 bits would be floats, so the other one's are kept
        value = json.loads(data, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError):
        raise exception.MalformedBody from None
    if _ESCAPED_NUL.search(data) and _has_nul(value):
        raise exception.MalformedBody
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate key")
    return value


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(item) for key, item in value.items())
    if isinstance(value, list):
        return any(_has_nul(item) for item in value)
    return False
