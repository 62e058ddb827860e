"""What text a database can hold."""

from __future__ import annotations


def storable(value: str) -> bool:
    """Can any backend hold this text? PostgreSQL takes no NUL, none takes a lone surrogate."""
    try:
        return b"\x00" not in value.encode()
    except UnicodeEncodeError:
        return False
