"""The string formats of the schemas, each a predicate; names say their own sentence when they refuse."""

from __future__ import annotations

import base64
import binascii
import datetime
import ipaddress
import re
import unicodedata
import uuid
from collections.abc import Callable
from typing import Any

from jsonschema import FormatChecker
from oslo_utils import timeutils

from nova_lite import exception

CHECKER = FormatChecker(formats=())

NAME_RULE = "printable characters. Can not start or end with whitespace."
LOOSE_NAME_RULE = "printable characters with at least one non space character"
KEYPAIR_RULE = "Only expected characters: [letters, digits, spaces, '_', '-']"


class InvalidName(exception.Invalid):
    """A name with characters it must not have; the sentence replaces jsonschema's own."""

    sentence = "An invalid 'name' value was provided. The name must be: %(reason)s"


def _checks(name: str) -> Callable[[Callable[[str], bool]], Callable[[str], bool]]:
    def register(check: Callable[[str], bool]) -> Callable[[str], bool]:
        def guarded(value: Any) -> bool:
            return not isinstance(value, str) or check(value)

        CHECKER.checks(name, raises=InvalidName)(guarded)
        return check

    return register


@_checks("uuid")
def is_uuid(text: str) -> bool:
    """With or without hyphens, any case, as oslo.utils reads uuids."""
    try:
        return str(uuid.UUID(text)).replace("-", "") == text.lower().replace("-", "").strip("{}").removeprefix(
            "urn:uuid:"
        )
    except ValueError:
        return False


@_checks("ipv4")
def is_ipv4(text: str) -> bool:
    return _is_address(ipaddress.IPv4Address, text)


@_checks("ipv6")
def is_ipv6(text: str) -> bool:
    return _is_address(ipaddress.IPv6Address, text)


def _is_address(kind: Callable[[str], Any], text: str) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True


@_checks("base64")
def is_base64(text: str) -> bool:
    """Base64 with any white space between, as mailers and here-documents fold it."""
    try:
        base64.b64decode(re.sub(r"\s", "", text).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        return False
    return True


@_checks("date-time")
def is_date_time(text: str) -> bool:
    try:
        parse_time(text)
    except ValueError:
        return False
    return True


def _printable(char: str) -> bool:
    """Neither a control character nor a separator other than a plain or a wide space."""
    category = unicodedata.category(char)
    return category[0] != "C" and (category[0] != "Z" or category == "Zs")


@_checks("name")
def is_name(text: str) -> bool:
    if not text or not all(map(_printable, text)) or text != text.strip():
        raise InvalidName(reason=NAME_RULE)
    return True


@_checks("name_with_leading_trailing_spaces")
def is_loose_name(text: str) -> bool:
    if not text.strip() or not all(map(_printable, text)):
        raise InvalidName(reason=LOOSE_NAME_RULE)
    return True


@_checks("keypair_name")
def is_keypair_name(text: str) -> bool:
    """Up to 2.91: printable ASCII letters, digits, spaces, underscores and hyphens, without blanks at the ends."""
    if not re.fullmatch(r"[\w\- ]+", text, re.ASCII) or text != text.strip():
        raise InvalidName(reason=NAME_RULE if text != text.strip() else KEYPAIR_RULE)
    return True


@_checks("keypair_name_with_spaces")
def is_loose_keypair_name(text: str) -> bool:
    """The same with blanks around it."""
    return is_keypair_name(text.strip())


@_checks("keypair_name_2_92")
def is_keypair_name_2_92(text: str) -> bool:
    """From 2.92 also @ and dots, so that addresses of people may be names."""
    if not re.fullmatch(r"[\w\- @.]+", text, re.ASCII) or text != text.strip():
        raise InvalidName(reason=NAME_RULE if text != text.strip() else KEYPAIR_RULE)
    return True


def parse_time(text: str) -> datetime.datetime:
    """An ISO 8601 time as naive UTC.

    :raises ValueError: it is none.
    """
    try:
        return timeutils.parse_isotime(text).astimezone(datetime.UTC).replace(tzinfo=None)
    except OverflowError:  # an offset that leads out of the calendar
        raise ValueError(text) from None
