"""ComputeHost: what every verb of a host works with."""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from nova_lite import concurrency, exception
from nova_lite.compute.custody import DeletedAction
from nova_lite.conductor.api import HostAPI
from nova_lite.image.api import API as ImageAPI
from nova_lite.network.api import API as NetworkAPI
from nova_lite.virt.driver import ComputeDriver
from nova_lite.volume.api import API as VolumeAPI


class ServerLocks:
    """One lock a server, kept only while somebody holds or awaits it; of the last ones it is known whose they were."""

    def __init__(self) -> None:
        self._guard = concurrency.Lock()
        self._locks: dict[str, tuple[Any, int]] = {}
        self._left: collections.deque[str] = collections.deque(maxlen=256)
        # How often a lock was left: what a caller of `hold` knows of a server is as old as the number it noted before.
        self.left = 0

    @contextlib.contextmanager
    def hold(self, uuid: str, since: int | None = None, patience_s: float | None = None) -> Iterator[bool]:
        """Hold the server's lock; yields whether another may have held it after the caller noted ``left``.

        :raises ServerBusy: it was not to be had for so long: who has it may never come back from the hypervisor.
        """
        with self._guard:
            lock, users = self._locks.get(uuid, (None, 0))
            lock = lock or concurrency.Lock()
            self._locks[uuid] = (lock, users + 1)
            changed = users > 0 or (since is not None and self._was_left(uuid, self.left - since))
        if not lock.acquire(timeout=-1 if patience_s is None else patience_s):
            self._drop(uuid)
            raise exception.ServerBusy(instance_uuid=uuid)
        try:
            yield changed
        finally:
            lock.release()
            with self._guard:
                self.left += 1
                self._left.append(uuid)
            self._drop(uuid)

    def _drop(self, uuid: str) -> None:
        with self._guard:
            lock, users = self._locks[uuid]
            if users == 1:
                del self._locks[uuid]
            else:
                self._locks[uuid] = (lock, users - 1)

    def _was_left(self, uuid: str, turns: int) -> bool:
        """Whether the server's lock is among the last so many that were left; where nobody knows, it may be."""
        return turns > len(self._left) or (turns > 0 and uuid in list(self._left)[-turns:])


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
    # What becomes of guests of deleted servers, a word of custody.DeletedAction.
    deleted_action: str = DeletedAction.REAP
