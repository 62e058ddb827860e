"""Lifeline: one life of a host's daemon, from its registration over its heartbeats; they keep the fence open.

A host's lives are counted, in their names: what a former one said, and a conductor delivers late, is known by that. A
life that begins hears of the one before when it first registers, and takes the next number. Daemons of before the
numbers have none, and are served as ever.
"""

from __future__ import annotations

import logging
import pathlib
import uuid
from collections.abc import Callable, Iterable

from nova_lite import exception, versions
from nova_lite.clock import monotonic
from nova_lite.compute.fence import Fence
from nova_lite.compute.rpcapi import TOPIC
from nova_lite.conductor.api import HostAPI
from nova_lite.context import RequestContext, admin_context
from nova_lite.identity_file import IdentityFile
from nova_lite.objects import ComputeNode, Service
from nova_lite.objects.host import epoch_of, is_former, number_of

LOG = logging.getLogger(__name__)


class Lifeline:
    """``node`` says what the host has, ``in_flight`` what it works on; ``wake`` is given what waits for it.

    ``look_around`` is called when guests here are built again elsewhere, so that they must not run here any more.
    """

    def __init__(
        self, binary: str, host: str, lease_s: float, conductor: HostAPI, node: Callable[[], ComputeNode],
        in_flight: Callable[[], list[int]], wake: Callable[[RequestContext, int], None],
        look_around: Callable[[RequestContext], None],
    ) -> None:  # fmt: skip
        self._binary = binary
        self._host = host
        self._conductor = conductor
        self._node = node
        self._in_flight = in_flight
        self._wake = wake
        self._look_around = look_around
        self._file = IdentityFile(host, None)
        self.epoch = epoch_of(1, uuid.uuid4().hex[:12])
        self.fence = Fence(host, lease_s, self.beat)

    @property
    def owner(self) -> str:
        """By what this life holds operations."""
        return f"{self._binary}:{self._host}:{self.epoch}"

    def begin(self, directory: pathlib.Path | None) -> None:
        """Prove which host this is, and register. ``directory`` is where the hypervisor keeps the guests.

        :raises HostRefused: the directory is another host's, or does not belong to this database.
        :raises HostReplaced: one more life of this host began meanwhile: that one stays.
        """
        self._file = IdentityFile(self._host, directory)
        try:
            self._register(admin_context())
        except exception.HostReplaced as error:
            number = (number_of(error.facts.get("epoch")) or 0) + 1
            self.epoch = epoch_of(number, self.epoch.rpartition(".")[2])
            self._register(admin_context())

    def beat(self) -> None:
        """Keep the host up and its leases; what waits for it is begun."""
        ctxt, sent_at, held, beats = admin_context(), monotonic(), self.fence.held(), self._file.beats
        try:
            answer = self._conductor.heartbeat(ctxt, self._host, self.epoch, self.owner, self._in_flight())
        except exception.ServiceNotFound:
            self._register_again(ctxt)
            return
        except exception.HostReplaced as error:
            if is_former(error.facts.get("epoch"), self.epoch):
                self._register_again(ctxt)
            else:
                self.fence.shut(str(error))
            return
        if self._is_sane(answer.get("beats"), beats):
            self.fence.confirm(sent_at, held, answer["lost"])
            self._begin_all(ctxt, answer["waiting"])
            if answer.get("leaving"):
                self._look_around(ctxt)

    def end(self) -> None:
        """The daemon stops in order: what it has seen is remembered."""
        if self.fence.why_shut is None:
            self._file.remember()

    # -- inside -----------------------------------------------------------------------------------

    def _register(self, ctxt: RequestContext) -> None:
        sent_at = monotonic()
        service = Service(
            uuid=str(uuid.uuid4()), host=self._host, binary=self._binary, topic=TOPIC, epoch=self.epoch,
            version=versions.CURRENT.number, works_with=versions.CURRENT.works_with,
        )  # fmt: skip
        known = self._file.load()
        identity = self._conductor.register_host(ctxt, service, self._node(), self.owner, known)
        if known is not None and identity is not None:
            self._file.keep(identity)
        self.fence.confirm(sent_at)

    def _register_again(self, ctxt: RequestContext) -> None:
        """An operator removed this host from the services, a former life's word came late, or the database is another.

        A later life has none of this one's numbers: it is the one that stays.
        """
        try:
            self._register(ctxt)
        except (exception.HostRefused, exception.HostReplaced) as error:
            self.fence.shut(str(error))

    def _is_sane(self, beats: int | None, asked_at: int) -> bool:
        wrong = None if beats is None else self._file.saw(beats, asked_at + 1)
        if wrong is not None:
            self.fence.shut(wrong)
        return wrong is None

    def _begin_all(self, ctxt: RequestContext, waiting: Iterable[int]) -> None:
        for operation_id in waiting:
            self._wake(ctxt, operation_id)
