"""How values, contexts and errors look on the wire: JSON types and a few tagged dictionaries. Pure.

A tag is the only key of its dictionary, and a user's dictionary with a key of our prefix is wrapped, so that nobody's
metadata is taken for a tag. Objects travel as ``objects.base`` primitives; errors of ``nova_lite.exception`` travel by
class name with their facts and are raised again at the caller as what they were.
"""

from __future__ import annotations

import base64
import datetime
import enum
import uuid
from collections.abc import Callable
from typing import Any

from nova_lite import clock, exception, objects
from nova_lite.context import RequestContext
from nova_lite.objects import base

PREFIX = "nova_lite"
DICT = "nova_lite.dict"
DATETIME = "nova_lite.datetime"
TUPLE = "nova_lite.tuple"
SET = "nova_lite.set"
BYTES = "nova_lite.bytes"
ERROR = "nova_lite.error"

assert objects.__all__  # importing the package fills the registry that reading needs


def encode(value: Any) -> Any:
    """A value as JSON types.

    :raises TypeError: it has no form on the wire; better here than as nonsense at the other end.
    """
    if value is None or isinstance(value, (bool, int, float)) or type(value) is str:
        return value
    if isinstance(value, base.TravellingObject):
        return value.to_primitive()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, dict):
        return _encode_dict(value)
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, tuple):
        return {TUPLE: [encode(item) for item in value]}
    if isinstance(value, (set, frozenset)):
        return {SET: sorted((encode(item) for item in value), key=repr)}
    return _encode_scalar(value)


def _encode_dict(value: dict[Any, Any]) -> dict[str, Any]:
    encoded = {str(key): encode(item) for key, item in value.items()}
    if any(key.startswith(PREFIX) for key in encoded):
        return {DICT: list(encoded.items())}
    return encoded


def _encode_scalar(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return {DATETIME: value.isoformat()}
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return {BYTES: base64.b64encode(value).decode()}
    if isinstance(value, exception.NovaLiteError):
        return _encode_error(value)
    raise TypeError(f"{type(value).__module__}.{type(value).__qualname__} cannot travel over RPC")


def decode(value: Any) -> Any:
    """The value that was encoded. Errors come out as exception objects; raising them is the caller's business."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if base.is_primitive(value):
        return base.from_any_primitive(value)
    if len(value) == 1:
        tag, content = next(iter(value.items()))
        if tag in _TAGS:
            return _TAGS[tag](content)
    return {key: decode(item) for key, item in value.items()}


def context(ctxt: RequestContext, ttl_s: float | None) -> dict[str, Any]:
    """A request context as JSON types, with the moment of sending and the one after which nobody wants it any more."""
    now = clock.wall()
    wire = ctxt.to_wire()
    wire["sent_at"] = now
    wire["expires_at"] = now + ttl_s if ttl_s else None
    return wire


def message_age_s(ctxt: RequestContext) -> float:
    """Seconds since the message that carried this context was sent; 0 where it carried none."""
    sent_at = getattr(ctxt, "sent_at", None)
    return max(0.0, clock.wall() - sent_at) if sent_at else 0.0


class Unreadable:
    """Stands for an argument that this code cannot read; ``error`` says why."""

    def __init__(self, error: exception.UnreadableObject) -> None:
        self.error = error


def decode_argument(value: Any) -> Any:
    """As :func:`decode`; what cannot be read comes as an :class:`Unreadable`, for the verb's caller to be told."""
    try:
        return decode(value)
    except exception.UnreadableObject as error:
        return Unreadable(error)


def travelling(error: BaseException) -> exception.NovaLiteError:
    """An error that can travel; what is not ours becomes an InternalError whose text is for the log."""
    if isinstance(error, exception.NovaLiteError) and getattr(exception, type(error).__name__, None) is type(error):
        return error
    return exception.NovaLiteError(f"{type(error).__name__}: {error}")


def _encode_error(error: exception.NovaLiteError) -> dict[str, Any]:
    error = travelling(error)
    return {ERROR: {"class": type(error).__name__, "message": error.message, "facts": _encode_facts(error.facts)}}


def _encode_facts(facts: dict[str, Any]) -> dict[str, Any]:
    encoded = {}
    for name, fact in facts.items():
        try:
            encoded[name] = encode(fact)
        except TypeError:
            encoded[name] = str(fact)  # a fact that cannot travel must not hide the error it belongs to
    return encoded


def _decode_error(content: dict[str, Any]) -> exception.NovaLiteError:
    cls = getattr(exception, str(content.get("class")), None)
    if not (isinstance(cls, type) and issubclass(cls, exception.NovaLiteError)):
        cls = exception.NovaLiteError  # a newer neighbour's error: its kind is unknown here, its text is not
    return cls(content.get("message"), **decode(content.get("facts") or {}))


_TAGS: dict[str, Callable[[Any], Any]] = {
    DICT: lambda items: {key: decode(item) for key, item in items},
    DATETIME: datetime.datetime.fromisoformat,
    TUPLE: lambda items: tuple(decode(item) for item in items),
    SET: lambda items: frozenset(decode(item) for item in items),
    BYTES: base64.b64decode,
    ERROR: _decode_error,
}
