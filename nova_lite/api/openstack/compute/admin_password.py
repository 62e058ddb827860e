"""adminPass: what a client asks for, else a new one; create, rebuild and rescue answer it the same way."""

from __future__ import annotations

import hashlib
import secrets
import string
from typing import Any

# As Nova's [DEFAULT] password_length.
LENGTH = 12
# Letters and digits that no font confuses.
_CHARS = "".join(char for char in string.ascii_letters + string.digits if char not in "0O1lI5S")


def asked_or_new(part: dict[str, Any] | None) -> str:
    """The ``adminPass`` of a body's part (``server``, ``rebuild``, ``rescue``); a new one where it says none."""
    return str((part or {}).get("adminPass") or new())


def new() -> str:
    """12 letters and digits, of each kind at least one."""
    while True:
        password = "".join(secrets.choice(_CHARS) for _ in range(LENGTH))
        if _has_all_kinds(password):
            return password


def derived(secret: bytes) -> str:
    """The same again for the same secret, and as good as that is."""
    number = 0
    while True:
        stream = hashlib.shake_256(secret + number.to_bytes(4)).digest(8 * LENGTH)
        # The last bytes that would make some characters likelier than others are left out.
        fair = [byte % len(_CHARS) for byte in stream if byte < 256 - 256 % len(_CHARS)]
        password = "".join(_CHARS[index] for index in fair[:LENGTH])
        if len(password) == LENGTH and _has_all_kinds(password):
            return password
        number += 1


def _has_all_kinds(password: str) -> bool:
    return all(any(map(kind, password)) for kind in (str.islower, str.isupper, str.isdigit))
