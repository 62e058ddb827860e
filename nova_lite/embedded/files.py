"""Files of the stand-ins: private (0600 in 0700 directories), replaced whole, on the disk before the answer."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import IO

from nova_lite import concurrency, exception


def private_dir(path: Path) -> Path:
    """Make the directory and its parents where absent; the last one is for its owner only."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def open_private(path: Path) -> int:
    """A descriptor for writing a file that must not exist yet; never through a symbolic link."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def lock(path: Path) -> IO[str]:
    """Lock a file until it is closed or the process ends, however it ends; our number is written into it.

    :raises ConfigInvalid: another process holds it; the text names its number.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    file = os.fdopen(fd, "r+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with file:
            holder = file.read(20).strip()
        raise exception.ConfigInvalid(
            detail=f"{path.parent} is in use by process {holder}: end that one, or set [DEFAULT] state_path."
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def holder(path: Path) -> str | None:
    """The number of the process that holds such a lock; None when nobody does, or we may not look."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read(20).strip()
    except OSError:
        pass
    return None


def sync_dir(path: Path) -> None:
    """Make renames and removals in the directory last."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _write_beside(path: Path, data: bytes) -> Path:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    fd = open_private(beside)
    with open(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return beside


def _replace(path: Path, data: bytes) -> None:
    beside = _write_beside(path, data)
    try:
        os.replace(beside, path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    sync_dir(path.parent)


def replace_private(path: Path, data: bytes) -> None:
    """Put the whole new content in place, or leave the old one; it survives a power cut."""
    concurrency.run_blocking(_replace, path, data)


def create_once(path: Path, make: Callable[[], bytes]) -> bytes:
    """The file's content; of several processes that find it absent, the first to finish decides it."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    beside = _write_beside(path, make())
    try:
        with contextlib.suppress(FileExistsError):
            os.link(beside, path)
    finally:
        beside.unlink()
    sync_dir(path.parent)
    return path.read_bytes()
