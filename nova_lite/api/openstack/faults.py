"""Errors as HTTP answers: from an exception to status, headers and JSON (contract states.md, section 3)."""

from __future__ import annotations

import http.client
import logging
from collections.abc import Iterable
from typing import Any

import orjson

from nova_lite import exception

LOG = logging.getLogger(__name__)

Headers = list[tuple[str, str]]
Answer = tuple[str, Headers, bytes]

JSON = "application/json"
JSON_ERROR = "application/json; charset=UTF-8"

# The newer name of 413 would change the contract's "odd shape", which repeats it.
REASONS = http.client.responses | {413: "Request Entity Too Large"}

# What a user reads of our own faults: never the exception's text, which may hold paths, hosts or secrets.
_OWN_FAULT = (
    "Unexpected API Error. Please report this at the project's issue tracker and attach the API log if possible.\n%s"
)


def status_line(status: int) -> str:
    return f"{status} {REASONS.get(status, 'Unknown')}"


def of(error: BaseException) -> Answer:
    """The answer for an error; an unexpected one is logged with its traceback and told by class name only."""
    if not isinstance(error, exception.NovaLiteError) or error.status >= 500 and error.status not in (501, 503):
        LOG.error("Unexpected exception in API method", exc_info=error)
        return fault(500, "computeFault", _OWN_FAULT % type(error))
    extra: Headers = []
    retry_after = error.facts.get("retry_after", getattr(error, "retry_after_s", None))
    if retry_after is not None:
        extra.append(("Retry-After", str(retry_after)))
    LOG.info("HTTP %d: %s", error.status, _loggable(error))
    return fault(error.status, error.key, error.message, extra)


def fault(status: int, key: str, message: str, extra: Iterable[tuple[str, str]] = ()) -> Answer:
    """``{key: {"code": status, "message": message}}``; a Retry-After header is repeated in the body."""
    headers = list(extra)
    inner: dict[str, Any] = {"code": status, "message": message}
    for name, value in headers:
        if name == "Retry-After":
            inner["retryAfter"] = value
    return _answer(status, {key: inner}, headers)


def plain(status: int, message: str, title: str | None = None) -> Answer:
    """The odd shape that WebOb gives an error raised outside the API proper; clients of Nova know it."""
    title = title or REASONS[status]
    return _answer(status, {"message": message, "code": f"{status} {title}", "title": title}, [])


def no_such_path() -> Answer:
    return plain(404, "The resource could not be found.<br /><br />\n\n\n")


def _answer(status: int, body: dict[str, Any], extra: Headers) -> Answer:
    data = dumps(body)
    headers = [("Content-Type", JSON_ERROR), ("Content-Length", str(len(data))), *extra]
    return status_line(status), headers, data


def dumps(value: Any) -> bytes:
    """JSON bytes; text that is not UTF-8 (a client's own broken words sent back) is replaced, never a 500."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return orjson.dumps(_printable(value))


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_printable(str(key)): _printable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_printable(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 63:
        return float(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return str(value)


def _loggable(error: exception.NovaLiteError) -> str:
    """An error for the log: one line of at most 200 characters, control characters escaped.

    What is wrong with a body is told to who sent it only: the sentence may quote a password.
    """
    name = type(error).__name__
    if isinstance(error, exception.Invalid):
        return name
    return f"{name}: {error.message[:200].encode('unicode_escape').decode()}"
