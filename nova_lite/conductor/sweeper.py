"""The sweeper: whatever messages are lost and whoever dies, each accepted request is looked at again.

Several conductors may sweep: every finding is acted on by compare-and-swap, so the second one changes nothing.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable

from nova_lite import exception
from nova_lite.clock import monotonic
from nova_lite.conductor import poison
from nova_lite.conductor.tasks import recover
from nova_lite.db import clock
from nova_lite.db.api import (
    allocations,
    console_tokens,
    idempotency,
    instances,
    migrations,
    operation_retention,
    operations,
)
from nova_lite.liveness import dead_hosts
from nova_lite.objects import Operation

LOG = logging.getLogger(__name__)


class Sweeper:
    """``run`` takes the id of an operation whose turn is the conductor's and works on it, somewhere, some time.

    ``look`` asks a host to look for guests that should not be there any more.
    """

    def __init__(
        self,
        run: Callable[[int], None],
        look: Callable[[str], None],
        down_s: float,
        interval_s: float,
        max_builds: int,
        retention_days: int,
    ) -> None:
        self._run = run
        self._look = look
        self._down_s = down_s
        self._interval_s = interval_s
        self._max_builds = max_builds
        self._retention = datetime.timedelta(days=retention_days)
        # When this conductor last looked for dead hosts, and until when it does not trust what it sees.
        self._looked_at = monotonic()
        self._dazzled_until = 0.0
        self._swept_at: float | None = None

    def sweep(self) -> None:
        """One round; an error in one finding does not keep the others from their turn."""
        self._each(operations.overdue(), recover.time_is_up)
        self._hosts_down()
        older = clock.now() - datetime.timedelta(seconds=self._interval_s)
        for operation_id in operations.waiting("conductor", older_than=older):
            self._run(operation_id)
        self._ask_returned()
        self._swept_at = monotonic()

    def age_s(self) -> float | None:
        """Seconds since the last round that came to its end; None: there was none yet."""
        return None if self._swept_at is None else monotonic() - self._swept_at

    def tidy(self) -> None:
        """End what nobody can work on, give back claims of servers that are gone, forget what was deleted long ago.

        What is forgotten goes in small batches.
        """
        poison.sweep()
        orphans = allocations.release_orphans()
        if orphans:
            LOG.warning("Released the claims of %d servers that are gone", orphans)
        console_tokens.purge(clock.now())
        idempotency.purge()
        before = clock.now() - self._retention
        forgotten = instances.purge(before), operation_retention.purge(before), migrations.purge(before)
        if any(forgotten):
            LOG.info("Forgot %d servers, %d operations and %d moves of the time before %s", *forgotten, before)

    def _dazzled(self) -> bool:
        """Whether this conductor saw nothing for so long that everybody looks dead: then they get time to beat."""
        now = monotonic()
        if now - self._looked_at > self._down_s:
            self._dazzled_until = now + self._down_s / 2
        self._looked_at = now
        return now < self._dazzled_until

    def _hosts_down(self) -> None:
        # Looked at in each round, also with nothing to do: who watches knows better than a clock who lives.
        down = dead_hosts(self._down_s)
        if self._dazzled() or not down:
            return
        for operation in operations.open_on_hosts("compute"):
            if operation.host not in down:
                continue
            try:
                next_id = recover.host_down(operation, self._max_builds)
            except exception.StaleWrite:
                continue
            except Exception:
                LOG.exception("Operation %d could not be taken from its host", operation.id)
                continue
            if next_id is not None:
                self._run(next_id)

    def _ask_returned(self) -> None:
        """Hosts that are back are asked for what was evacuated from them, until they say that nothing is left."""
        sources = {str(migration.source_compute) for migration in migrations.evacuated()}
        if sources:
            for host in sources - dead_hosts(self._down_s):
                self._look(host)

    def _each(self, found: list[Operation], act: Callable[[Operation], object]) -> None:
        for operation in found:
            try:
                act(operation)
            except exception.StaleWrite:
                continue
            except Exception:
                LOG.exception("Operation %d could not be swept", operation.id)
