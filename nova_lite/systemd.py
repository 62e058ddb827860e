"""What systemd is told, over the socket it names in the environment, and the listening sockets that it hands over.

Without systemd everything here is a no-op.
"""

from __future__ import annotations

import os
import socket
import time


def notify(*lines: str) -> bool:
    """Send assignments such as ``READY=1``; False where nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]  # the abstract namespace
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.connect(address)
            sock.sendall("\n".join(lines).encode())
    except OSError:
        return False
    return True


# The first descriptor that systemd hands over (sd_listen_fds).
_FIRST = 3


def inherited(host: str, port: int) -> socket.socket | None:
    """The listening socket of that address which systemd holds and handed to this process; None where there is none.

    It outlives this process: what connects while nobody serves waits in it for the next one.
    """
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return None
    addresses = {info[4][:2] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    for number in range(_FIRST, _FIRST + int(os.environ.get("LISTEN_FDS") or 0)):
        sock = socket.socket(fileno=os.dup(number))
        if sock.family in (socket.AF_INET, socket.AF_INET6) and sock.getsockname()[:2] in addresses:
            os.set_inheritable(sock.fileno(), False)
            return sock
        sock.close()
    return None


def ready(status: str) -> None:
    notify("READY=1", f"STATUS={status}")


def reloading(status: str) -> None:
    """systemd expects ``ready`` afterwards, and a monotonic time to tell reloads apart."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", f"STATUS={status}")


def stopping(status: str) -> None:
    notify("STOPPING=1", f"STATUS={status}")


def status(text: str) -> None:
    notify(f"STATUS={text}")


def alive() -> None:
    notify("WATCHDOG=1")


def watchdog_interval_s() -> float | None:
    """Half of the time systemd waits for ``alive``; None where it does not watch this process."""
    try:
        period_us = int(os.environ["WATCHDOG_USEC"])
    except (KeyError, ValueError):
        return None
    pid = os.environ.get("WATCHDOG_PID")
    if pid and pid != str(os.getpid()):
        return None
    return period_us / 2_000_000 if period_us > 0 else None
