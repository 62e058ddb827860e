"""The audit that a conductor does now and then: what stands in two looks in a row is said once, and counted."""

from __future__ import annotations

import logging
import os
import pathlib
from collections.abc import Callable

from nova_lite.audit import metrics
from nova_lite.audit.finding import Finding, Key
from nova_lite.audit.gather import DOWN
from nova_lite.audit.table import findings
from nova_lite.audit.world import World
from nova_lite.db.api import history

LOG = logging.getLogger(__name__)


class Chore:
    """``look`` takes the facts, ``is_mine`` says whether this conductor audits, ``swept_s`` when it swept last."""

    def __init__(
        self,
        look: Callable[[], World],
        is_mine: Callable[[], bool],
        swept_s: Callable[[], float | None],
        metrics_file: str | None = None,
    ) -> None:
        self._look = look
        self._is_mine = is_mine
        self._swept_s = swept_s
        self._file = pathlib.Path(metrics_file) if metrics_file else None
        self._seen: dict[Key, Finding] = {}
        self._told: dict[Key, Finding] = {}

    def run(self) -> None:
        """One look. Of the conductors that live one audits; when it dies, another begins anew."""
        if not self._is_mine():
            self._seen, self._told = {}, {}
            return
        world = self._look()
        found = {finding.key: finding for finding in findings(world)}
        standing = {key: finding for key, finding in found.items() if key in self._seen}
        self._seen = found
        self._tell(standing, world)
        if self._file is not None:
            self._publish(world, list(standing.values()))

    def _tell(self, standing: dict[Key, Finding], world: World) -> None:
        for key, finding in standing.items():
            if key not in self._told:
                LOG.warning("Audit: %s. To do: %s", finding, finding.advice)
        for key in self._told.keys() - standing.keys():
            LOG.info("Audit: no longer so: %s", self._told[key])
        silent = [f"{name} ({why})" for name, why in world.unheard.items() if why != DOWN]
        if silent:
            LOG.warning("Audit: these did not answer, nothing is known of them: %s", ", ".join(silent))
        self._told = standing

    def _publish(self, world: World, standing: list[Finding]) -> None:
        """Whole or not at all: the collector reads whenever it likes."""
        assert self._file is not None
        scratch = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        try:
            scratch.write_text(metrics.text(world, standing, history.failures(), self._swept_s()), encoding="utf-8")
            scratch.replace(self._file)
        except OSError as error:
            LOG.warning("Audit: the metrics cannot be written: %s", error)
            scratch.unlink(missing_ok=True)
