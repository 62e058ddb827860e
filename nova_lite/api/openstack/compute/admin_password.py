"""adminPass: what a client asks for, else a new one; create, rebuild and rescue answer it the same way."""

from __future__ import annotations

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
        if all(any(map(kind, password)) for kind in (str.islower, str.isupper, str.isdigit)):
            return password
