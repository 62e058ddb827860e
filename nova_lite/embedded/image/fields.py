"""The attributes of an image that a client may write, and what each may be."""

from __future__ import annotations

import re
from typing import Any

from nova_lite import exception
from nova_lite.embedded.image.records import CONTAINER_FORMATS, DISK_FORMATS, VISIBILITIES, Image

READ_ONLY = frozenset(
    (
        "status", "checksum", "size", "virtual_size", "created_at", "updated_at", "os_hash_algo", "os_hash_value",
        "direct_url", "self", "file", "schema", "id", "stores",
    )
)  # fmt: skip
RESERVED = frozenset(("deleted", "deleted_at", "is_public", "location", "locations", "members", "properties"))
BASE = frozenset(
    (
        "name", "visibility", "protected", "os_hidden", "tags", "disk_format", "container_format", "min_disk",
        "min_ram", "owner",
    )
)  # fmt: skip
MAX_PROPERTIES = 128
MAX_TAGS = 128

_UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")


def checked_id(value: Any) -> str:
    """:raises Invalid: not a UUID in its usual spelling."""
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise exception.Invalid("The image id must be a UUID in lower case")
    return value


def checked(name: str, value: Any) -> Any:
    """The value in the form that Image keeps.

    :raises Invalid: it is of the wrong type, too long or not one of those allowed.
    :raises Forbidden: nobody may write this attribute.
    """
    if name in READ_ONLY:
        raise exception.Forbidden(f"Attribute '{name}' is read-only.")
    if name in RESERVED or not name:
        raise exception.Forbidden(f"Attribute '{name}' is reserved.")
    check = _CHECKS.get(name, _text)
    return check(name, value)


def _bad(name: str, wanted: str) -> exception.Invalid:
    return exception.Invalid(f"Provided object does not match schema 'image': {name:.255} must be {wanted}")


def _text(name: str, value: Any, longest: int = 65535) -> str:
    if len(name) > 255 or "\0" in name:
        raise exception.Invalid("The name of a property must have at most 255 characters")
    if not isinstance(value, str) or len(value) > longest:
        raise _bad(name, f"text of at most {longest} characters")
    return value


def _short_or_none(name: str, value: Any) -> str | None:
    return None if value is None else _text(name, value, 255)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _bad(name, "true or false")
    return value


def _amount(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 31:
        raise _bad(name, "a whole number from 0 to 2147483647")
    return value


def _one_of(choices: tuple[str, ...], or_none: bool) -> Any:
    def check(name: str, value: Any) -> Any:
        if (value is None and or_none) or (isinstance(value, str) and value in choices):
            return value
        raise _bad(name, f"one of {', '.join(choices)}")

    return check


def _tags(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _bad(name, "a list of texts")
    found = tuple(dict.fromkeys(_text("tags", each, 255) for each in value))
    if len(found) > MAX_TAGS:
        raise exception.TooLarge(f"Attempted to set {len(found)} tags; the maximum is {MAX_TAGS}.")
    return found


_CHECKS: dict[str, Any] = {
    "name": _short_or_none,
    "owner": _short_or_none,
    "visibility": _one_of(VISIBILITIES, or_none=False),
    "disk_format": _one_of(DISK_FORMATS, or_none=True),
    "container_format": _one_of(CONTAINER_FORMATS, or_none=True),
    "protected": _flag,
    "os_hidden": _flag,
    "min_disk": _amount,
    "min_ram": _amount,
    "tags": _tags,
}


def check_counts(image: Image) -> Image:
    """:raises TooLarge: more custom properties than an image may have."""
    if len(image.properties) > MAX_PROPERTIES:
        raise exception.TooLarge(
            f"Attempted to set {len(image.properties)} properties; the maximum is {MAX_PROPERTIES}."
        )
    return image
