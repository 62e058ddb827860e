"""The serial console's log: read from the end, and kept from filling the disk."""

from __future__ import annotations

import contextlib
import os

CHUNK = 1024 * 1024


def tail(path: str, limit_bytes: int) -> bytes:
    """The last bytes of the log, reaching back into the part that was cut off; blocks."""
    found = _last(path, limit_bytes)
    if len(found) < limit_bytes:
        found = _last(path + ".0", limit_bytes - len(found)) + found
    return found


def _last(path: str, limit_bytes: int) -> bytes:
    try:
        with open(path, "rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(0, size - limit_bytes))
            return log.read(limit_bytes)
    except FileNotFoundError:
        return b""


def trim(path: str, max_bytes: int) -> bool:
    """Where the log is larger, keep its last half beside it and begin anew; blocks. True when it did.

    QEMU appends (O_APPEND), so cutting the file under it is safe; what it writes between the copy and the cut is lost.
    """
    try:
        if os.stat(path).st_size <= max_bytes:
            return False
    except FileNotFoundError:
        return False
    keep = _last(path, max_bytes // 2)
    temporary = path + ".part"
    descriptor = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as target:
        target.write(keep)
    os.rename(temporary, path + ".0")
    os.truncate(path, 0)
    return True


def trim_all(root: str, max_bytes: int) -> int:
    """Trim the log of every server; how many were."""
    trimmed = 0
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(root):
            if name.count("-") == 4:
                with contextlib.suppress(OSError):  # one log that cannot be cut must not keep the others
                    trimmed += trim(os.path.join(root, name, "console.log"), max_bytes)
    return trimmed
