"""Does a conductor belong to its database? It remembers, as a host does, how far that had come, and refuses a copy.

A conductor undoes, sweeps and clears away by what the database says. In a copy from a backup that is of yesterday: what
was half done then may be whole by now, and what was never accepted may be in use.
"""

from __future__ import annotations

import dataclasses
import pathlib

from oslo_log import log as logging

from nova_lite import exception
from nova_lite.conductor import hosts
from nova_lite.db.api import cloud, services
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.identity_file import IdentityFile
from nova_lite.manager import PeriodicTask
from nova_lite.objects import Service

LOG = logging.getLogger(__name__)

NAME = "conductor_id"


class Belonging:
    """One life of a conductor in the list of services.

    ``directory`` None: it remembers nothing beyond its life, and takes any database for its own when it starts.
    """

    def __init__(self, service: Service, directory: pathlib.Path | None) -> None:
        self._service = service
        self._file = IdentityFile(service.host, directory, NAME)
        # Why nothing is done any more.
        self.refusal: str | None = None

    @retry_on_deadlock
    def register(self) -> None:
        """:raises HostRefused: the database is another one, or an older copy; nothing was written."""
        mine, known = self._service, self._file.load()
        try:
            with writer():
                if known is not None:
                    hosts.require_belonging(mine, known)
                beats = known.beats if known else 0
                found = services.register(mine.host, mine.binary, mine.topic, mine.epoch, beats=beats)
                site = cloud.get()
        except exception.HostRefused as error:
            self.refusal = str(error)
            raise
        if known is not None:
            self._file.keep(known.replace(cloud=site.uuid, beats=found.beats, mark=site.mark))

    def beat(self) -> None:
        """:raises HostRefused: as :meth:`register`; from then on :attr:`refusal` says so."""
        asked_at = self._file.beats
        beats = services.heartbeat(self._service.host, self._service.binary, self._service.epoch)
        if beats:
            self._judge(self._file.saw(beats, asked_at + 1))
        else:
            self.register()

    def guarded(self, task: PeriodicTask) -> PeriodicTask:
        """The same, not done while the database is not the one that the conductor knows."""

        def run() -> None:
            if self.refusal is None and self._is_the_one():
                task.run()

        return dataclasses.replace(task, run=run, name=task.label)

    def _is_the_one(self) -> bool:
        """Whether the count of heartbeats goes on: a database may be exchanged between two of them."""
        asked_at = self._file.beats
        if not asked_at:
            return True
        beats = services.beats(self._service.host, self._service.binary)
        if beats is None:
            return False  # the next heartbeat registers, and looks
        self._judge(self._file.saw(beats, asked_at))
        return True

    def _judge(self, wrong: str | None) -> None:
        if wrong is not None:
            self.refusal = wrong
            LOG.critical("Conductor %s does nothing any more: %s", self._service.host, wrong)
            raise exception.HostRefused(detail=wrong)
