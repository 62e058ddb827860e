"""The fence: nothing is touched by a worker that cannot know that its lease is valid.

The database refuses the writes of a worker that was overtaken, but nothing stands between a process that hung, or was
cut off, and its hypervisor, or the network and volume services, who know no leases: it would take interfaces and
volumes back that the server uses elsewhere. So every call that changes something there passes here first. While the
last confirmed heartbeat is younger than the lease, by the monotonic clock and counted from when it was *sent*, nobody
can have taken what this host holds. When it is older, the worker asks for a new one before it goes on, for as long as
no conductor answers; the answer says what was lost meanwhile. What stays open is the length of one call.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from nova_lite import concurrency, exception
from nova_lite.clock import monotonic
from nova_lite.objects import Operation

LOG = logging.getLogger(__name__)

# Methods of drivers that change nothing on the host; whatever is not named here passes the fence.
LOOKS = frozenset(
    {
        "init_host", "close", "inventory", "list_guests", "find_guest", "list_disks", "list_incoming",
        "list_set_aside", "power_state", "state_directory", "register_event_listener", "check_health", "console_output",
        "console_endpoint", "diagnostics", "check_can_live_migrate_destination",
    }
)  # fmt: skip
# The same of the network and volume services.
NETWORK_LOOKS = frozenset({"attached", "interfaces", "security_groups", "ports", "validate"})
VOLUME_LOOKS = frozenset(
    {
        "get", "made_for", "wait_available", "has_type", "get_snapshot", "snapshots_made_for", "wait_snapshot",
        "attachments_of", "all_attachments", "statuses",
    }
)  # fmt: skip

# The first question may have waited for a conductor as long as there was none.
ASK_TIMES = 3


class Fence:
    """``renew`` sends a heartbeat, whose answer comes by :meth:`confirm`; ``lease_s`` is how long one is good for."""

    def __init__(self, host: str, lease_s: float, renew: Callable[[], None]) -> None:
        self._host = host
        self._lease_s = lease_s
        self._renew = renew
        self._asking = concurrency.Lock()
        self._confirmed: float | None = None
        self._shut: str | None = None
        self._mine = concurrency.local()
        # Operations that workers of this host are at, and the attempt of each.
        self._held: dict[int, int] = {}
        # What of it somebody else has by now, and since when this host knows.
        self._lost: dict[tuple[int, int], float] = {}

    # -- what the heartbeat says ------------------------------------------------------------------

    def held(self) -> dict[int, int]:
        """Attempt by operation: what a heartbeat that is sent now asks for."""
        return dict(self._held)

    def confirm(self, sent_at: float, asked: Mapping[int, int] | None = None, lost: Iterable[int] = ()) -> None:
        """A heartbeat that was sent at that moment (monotonic) was confirmed, but for some of what it asked for."""
        asked = asked or {}
        # Before the lease is good again: whoever waits for it must see what is lost.
        for number in lost:
            # Who came back meanwhile needs no telling, and would never be forgotten.
            if number in asked and self._held.get(number) == asked[number]:
                self._lost.setdefault((number, asked[number]), monotonic())
        self._confirmed = max(sent_at, self._confirmed or sent_at)

    def shut(self, reason: str) -> None:
        """This host must not touch anything any more, until its daemon is started again."""
        if self._shut is None:
            LOG.critical("Host %s touches nothing any more: %s", self._host, reason)
        self._shut = reason

    @property
    def why_shut(self) -> str | None:
        return self._shut

    def guard(self, driver: Any) -> Any:
        """The driver, with all its methods, behind this fence."""
        return Fenced(driver, self, LOOKS)

    def guard_network(self, network: Any) -> Any:
        """The network service, likewise; it looks before it changes, and asks once more in between."""
        return Fenced(network.fenced(self.check), self, NETWORK_LOOKS)

    def guard_volume(self, volume: Any) -> Any:
        """The volume service, likewise."""
        return Fenced(volume, self, VOLUME_LOOKS)

    # -- what workers ask -------------------------------------------------------------------------

    @contextlib.contextmanager
    def working(self, operation: Operation) -> Iterator[None]:
        """This thread works on an operation that it has taken."""
        turn = (operation.id, operation.attempt)
        self._held[operation.id] = operation.attempt
        self._mine.turn = turn
        try:
            yield
        finally:
            self._mine.turn = None
            if self._held.get(operation.id) == operation.attempt:
                del self._held[operation.id]
            self._lost.pop(turn, None)

    def stuck(self) -> list[int]:
        """Operations that ended, or are somebody else's, a lease ago, and whose workers here have not come back yet."""
        before = monotonic() - self._lease_s
        return sorted(
            number
            for (number, attempt), since in list(self._lost.items())
            if since < before and self._held.get(number) == attempt
        )

    def is_valid(self) -> bool:
        """Whether the lease is good now."""
        confirmed = self._confirmed
        return self._shut is None and confirmed is not None and monotonic() - confirmed < self._lease_s

    def check(self) -> None:
        """Before something is changed.

        A worker that was overtaken learns it here or from the conductor, and may then undo what it did: a successor on
        this host waits for the server's lock, and one that is not of this life has shut the fence.

        :raises HostFenced: this host may change nothing; :raises StaleWrite: the operation was taken from it.
        :raises ServiceStopping: it stops before a conductor has answered.
        """
        if not self.is_valid() and not self._ask():
            raise exception.HostFenced(host=self._host, reason=self._shut or "its lease was not renewed")
        turn = getattr(self._mine, "turn", None)
        if turn in self._lost and not isinstance(sys.exception(), exception.StaleWrite):
            raise exception.StaleWrite(what=f"Operation {turn[0]}")

    def _ask(self) -> bool:
        """Whether the lease is good after all. An answer that took longer than the lease itself is not worth more."""
        with self._asking:
            for _ in range(ASK_TIMES):
                if self._shut is not None or self.is_valid():
                    break
                LOG.warning("Host %s cannot know that its lease is valid: asking first", self._host)
                self._renew()
        return self.is_valid()


class Fenced:
    """A driver or a service behind the fence; it has all of its methods."""

    def __init__(self, door: Any, fence: Fence, looks: frozenset[str]) -> None:
        self._door = door
        self._fence = fence
        self._looks = looks

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._door, name)
        if name in self._looks or not callable(found):
            return found

        @functools.wraps(found)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            self._fence.check()
            return found(*args, **kwargs)

        return guarded
