"""Request bodies: bounded bytes, strict JSON, everything odd a clean 4xx."""

from __future__ import annotations

import json
import math
from typing import Any

import webob

from nova_lite import exception

CHUNK = 64 * 1024


def declared_length(req: webob.Request) -> int | None:
    """Bytes that the client announced; None where it sends chunks.

    :raises Invalid: Content-Length is no plain number.
    """
    if "chunked" in req.environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        return None
    text = req.environ.get("CONTENT_LENGTH") or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise exception.Invalid("Content-Length is not a number")
    return int(text)


def read(req: webob.Request, limit: int) -> bytes:
    """The whole body.

    :param limit: bytes it may have.
    :raises TooLarge: it has, or announces, more.
    :raises MalformedBody: its chunks are none, or the client went away.
    """
    length = declared_length(req)
    if length is not None and length > limit:
        raise exception.TooLarge(f"Request is too large: at most {limit} bytes are accepted.")
    try:
        data = _read_exactly(req, limit + 1 if length is None else length)
    except (ValueError, OverflowError, OSError):  # malformed chunks, or a client that went away, as the servers say it
        raise exception.MalformedBody("The request body ended early or its chunks are malformed") from None
    if len(data) > limit:
        raise exception.TooLarge(f"Request is too large: at most {limit} bytes are accepted.")
    if length is not None and len(data) < length:
        raise exception.Invalid("The request body ended early")
    return data


def _read_exactly(req: webob.Request, wanted: int) -> bytes:
    parts, source = [], req.environ["wsgi.input"]
    while wanted > 0:
        part = source.read(min(CHUNK, wanted))
        if not part:
            break
        parts.append(part)
        wanted -= len(part)
    return b"".join(parts)


def read_json(req: webob.Request, limit: int, content_types: tuple[str, ...] = ("application/json",)) -> Any:
    """The body as JSON.

    :raises UnsupportedMedia: Content-Type is none of ``content_types``.
    :raises MalformedBody: it is not strict JSON in UTF-8.
    """
    if req.content_type not in content_types:
        raise exception.UnsupportedMedia(f"Expecting one of {', '.join(content_types)} in the Content-Type header")
    return parse_json(read(req, limit))


def parse_json(data: bytes) -> Any:
    """Strict JSON: no NaN or infinity, no key twice, no lone surrogates, no bottomless nesting."""
    try:
        value = json.loads(
            data.decode("utf-8"), parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_distinct
        )
        if b"\\u" in data:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise exception.MalformedBody("The request body is not valid JSON") from None
    return value


def _refuse(text: str) -> Any:
    raise ValueError(text)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key twice")
    return value
