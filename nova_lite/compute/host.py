"""ComputeHost: what every verb of a host works with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from nova_lite import concurrency
from nova_lite.conductor.api import HostAPI
from nova_lite.image.api import API as ImageAPI
from nova_lite.network.api import API as NetworkAPI
from nova_lite.virt.driver import ComputeDriver
from nova_lite.volume.api import API as VolumeAPI


class ServerLocks:
    """One lock a server, kept only while somebody holds or awaits it."""

    def __init__(self) -> None:
        self._guard = concurrency.Lock()
        self._locks: dict[str, tuple[Any, int]] = {}

    @contextlib.contextmanager
    def hold(self, uuid: str) -> Iterator[bool]:
        """Hold the server's lock; yields whether it had to be waited for."""
        with self._guard:
            lock, users = self._locks.get(uuid, (None, 0))
            lock = lock or concurrency.Lock()
            self._locks[uuid] = (lock, users + 1)
        lock.acquire()
        try:
            yield users > 0
        finally:
            lock.release()
            with self._guard:
                lock, users = self._locks[uuid]
                if users == 1:
                    del self._locks[uuid]
                else:
                    self._locks[uuid] = (lock, users - 1)


@dataclass(frozen=True)
class ComputeHost:
    """``driver`` is the hypervisor; ``conductor`` writes for this host, which holds no database credentials."""

    name: str
    driver: ComputeDriver
    conductor: HostAPI
    network: NetworkAPI
    image: ImageAPI
    volume: VolumeAPI
    locks: ServerLocks = field(default_factory=ServerLocks)
