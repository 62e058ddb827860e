"""What the attributes of the network service's nouns may be: each check answers the value as it is kept.

A check takes the attribute's name and the client's value, and raises ``Refused`` where they do not fit.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nova_lite.embedded.network.faults import Refused, invalid

Check = Callable[[str, Any], Any]

UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
_MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}")
_MAX_ITEMS = 256


class Given:
    """Marks an attribute without a default: a client has to give it."""


@dataclass(frozen=True)
class Field:
    """One attribute. ``default`` is a value or ``Given``; a callable makes a fresh one; null means it again.

    ``admin``: only administrators and services write it. ``secret``: only they see it. ``fixed``: never changed later.
    """

    check: Check
    default: Any = None
    admin: bool = False
    secret: bool = False
    fixed: bool = False

    def first(self) -> Any:
        """The value of who gives none."""
        return self.default() if callable(self.default) else self.default


def _bad(name: str, value: Any, wanted: str) -> Refused:
    shown = repr(value)
    return invalid(f"Invalid input for {name}. Reason: {shown:.120} is not {wanted}")


def text(longest: int = 255) -> Check:
    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or len(value) > longest or "\0" in value:
            raise _bad(name, value, f"a string of at most {longest} characters")
        return value

    return check


def optional(inner: Check) -> Check:
    """None stays None."""

    def check(name: str, value: Any) -> Any:
        return None if value is None else inner(name, value)

    return check


def flag(name: str, value: Any) -> bool:
    if isinstance(value, str) and value.lower() in ("true", "false", "1", "0"):
        return value.lower() in ("true", "1")
    if value in (0, 1):
        return bool(value)
    raise _bad(name, value, "a boolean")


def number(low: int, high: int) -> Check:
    def check(name: str, value: Any) -> int:
        if isinstance(value, str) and re.fullmatch(r"-?\d{1,18}", value, re.ASCII):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise _bad(name, value, f"an integer from {low} to {high}")
        return value

    return check


def choice(*allowed: Any) -> Check:
    def check(name: str, value: Any) -> Any:
        for each in allowed:
            if value == each or str(value).lower() == str(each).lower():
                return each
        raise _bad(name, value, f"one of {', '.join(map(str, allowed))}")

    return check


def uuid(name: str, value: Any) -> str:
    found = str(value).lower() if isinstance(value, str) else ""
    if not UUID.fullmatch(found):
        raise _bad(name, value, "a valid UUID")
    return found


def mac(name: str, value: Any) -> str:
    found = value.lower().replace("-", ":") if isinstance(value, str) else ""
    if not _MAC.fullmatch(found) or int(found[1], 16) & 1:
        raise _bad(name, value, "a valid MAC address")
    return found


def address(name: str, value: Any) -> str:
    try:
        return str(ipaddress.ip_address(value if isinstance(value, str) else ""))
    except ValueError:
        raise _bad(name, value, "a valid IP address") from None


def cidr(name: str, value: Any) -> str:
    """A network, with the bits behind its prefix cut off as Neutron does."""
    try:
        return str(ipaddress.ip_network(value if isinstance(value, str) else "", strict=False))
    except ValueError:
        raise _bad(name, value, "a valid IP subnet") from None


def several(inner: Check) -> Check:
    def check(name: str, value: Any) -> list[Any]:
        if not isinstance(value, list) or len(value) > _MAX_ITEMS:
            raise _bad(name, value, "a list")
        return [inner(name, each) for each in value]

    return check


def objects(required: dict[str, Check], others: dict[str, Check] | None = None) -> Check:
    """A list of objects with these keys and no others."""
    known = {**required, **(others or {})}

    def one(name: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or not required.keys() <= value.keys() <= known.keys():
            raise _bad(name, value, f"an object of {', '.join(known)}")
        return {key: known[key](key, each) for key, each in value.items()}

    return several(one)


def mapping(name: str, value: Any) -> dict[str, Any]:
    """Small free JSON, as binding profiles are."""
    if not isinstance(value, dict) or len(repr(value)) > 4096:
        raise _bad(name, value, "a dictionary of at most 4096 characters")
    return value
