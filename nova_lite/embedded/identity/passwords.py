"""Password hashes: scrypt with a cost of about 10 ms, because the stock CLI logs in anew for each command."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from nova_lite import concurrency

# 2 MiB and about 10 ms a try; generated passwords have 144 bits, so the cost only guards those that people choose.
_COST, _BLOCK, _PARALLEL = 2048, 8, 1
MAX_LENGTH = 4096

# A hash that no password has: a login of an unknown user costs as much time as a wrong password.
NOBODY = "$scrypt$2048$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


def generate() -> str:
    """A random password, safe to paste into YAML, shells and URLs."""
    return secrets.token_urlsafe(18)


def _scrypt(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=cost, r=block, p=parallel, dklen=32)


def hashed(password: str) -> str:
    """The text to store: algorithm, cost, salt and digest."""
    salt = secrets.token_bytes(16)
    digest = _scrypt(password, salt, _COST, _BLOCK, _PARALLEL)
    fields = [str(_COST), str(_BLOCK), str(_PARALLEL), _encode(salt), _encode(digest)]
    return "$scrypt$" + "$".join(fields)


def matches(password: str, stored: str) -> bool:
    """True when the password has that hash; takes the same time for every wrong one.

    :raises ValueError: ``stored`` is no hash of ours.
    """
    cost, block, parallel, salt, digest = _parse(stored)
    if len(password) > MAX_LENGTH:
        password = ""
    found = concurrency.run_blocking(_scrypt, password, salt, cost, block, parallel)
    return hmac.compare_digest(found, digest)


def _parse(stored: str) -> tuple[int, int, int, bytes, bytes]:
    kind, _, fields = stored.removeprefix("$").partition("$")
    parts = fields.split("$")
    if kind != "scrypt" or len(parts) != 5:
        raise ValueError("not a scrypt hash of this service")
    cost, block, parallel = (int(part) for part in parts[:3])
    if not (2 <= cost <= 1 << 16 and 1 <= block <= 8 and 1 <= parallel <= 4):
        raise ValueError("scrypt parameters out of bounds")
    return cost, block, parallel, base64.b64decode(parts[3]), base64.b64decode(parts[4])


def check_stored(stored: str) -> None:
    """:raises ValueError: ``stored`` is no hash of ours."""
    _parse(stored)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()
