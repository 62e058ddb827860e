"""What a client may write, and what each may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nova_lite import exception

MAX_METADATA = 128
MAX_SIZE_GIB = 1 << 20
_UUID = re.compile(r"[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_TRUE, _FALSE = ("1", "t", "true", "on", "y", "yes"), ("0", "f", "false", "off", "n", "no")


def body(value: Any, key: str) -> dict[str, Any]:
    """The object below the body's one key.

    :raises Invalid: there is none.
    """
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, dict):
        raise exception.Invalid(f"Missing required element '{key}' in request body.")
    return found


def text(name: str, value: Any, longest: int = 255) -> str | None:
    """:raises Invalid: not text, or too long."""
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > longest or "\0" in value:
        raise bad(name, value, f"text of at most {longest} characters")
    return value


def word(name: str, value: Any) -> str:
    """Text that must be there."""
    found = text(name, value)
    if not found:
        raise bad(name, value, "text")
    return found


def uuid(name: str, value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise bad(name, value, "a 'uuid'")
    return value


def size(name: str, value: Any) -> int | None:
    """GiB; digits in text are numbers too."""
    if value is None:
        return None
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12 else value
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number <= MAX_SIZE_GIB:
        raise exception.Invalid(
            f"Invalid input received: Volume size '{value!s:.32}' must be an integer and greater than 0"
        )
    return number


def flag(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, (str, int)) and str(value).strip().lower() in _TRUE:
        return True
    if isinstance(value, (str, int)) and str(value).strip().lower() in _FALSE:
        return False
    raise bad(name, value, "true or false")


def metadata(name: str, value: Any) -> dict[str, str]:
    """:raises Invalid: not a flat object of short texts."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or len(value) > MAX_METADATA:
        raise bad(name, value, f"an object of at most {MAX_METADATA} texts")
    for key, each in value.items():
        if not 0 < len(key) <= 255 or not isinstance(each, str) or len(each) > 255:
            raise bad(f"{name}.{key:.64}", each, "text of at most 255 characters")
    return dict(value)


def bad(name: str, value: Any, wanted: str) -> exception.Invalid:
    return exception.Invalid(f"Invalid input for field/attribute {name}. Value: {value!s:.255}. It must be {wanted}.")
