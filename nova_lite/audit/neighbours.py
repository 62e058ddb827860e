"""What the hosts and the services around say: asked over the wire, and honest about who did not answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from nova_lite import concurrency, exception
from nova_lite.audit.world import Hold
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.context import admin_context
from nova_lite.image.api import API as ImageAPI
from nova_lite.network.api import API as NetworkAPI
from nova_lite.objects import Presence
from nova_lite.volume.api import API as VolumeAPI

# Hosts asked at the same time.
_AT_ONCE = 16


@dataclass
class Heard:
    """What the hosts said, and why some said nothing."""

    hosts: dict[str, tuple[Presence, ...]] = field(default_factory=dict)
    unheard: dict[str, str] = field(default_factory=dict)


class Hosts:
    """Asks compute hosts by RPC, in batches, several at a time."""

    def __init__(self, compute: ComputeRpcAPI) -> None:
        self._compute = compute

    def __call__(self, names: Iterable[str]) -> Heard:
        heard, pool = Heard(), concurrency.Pool(_AT_ONCE, name="audit")
        for asking in [pool.spawn(self._ask, name, heard) for name in names]:
            asking.wait()
        return heard

    def _ask(self, name: str, heard: Heard) -> None:
        found: list[Presence] = []
        after = None
        try:
            while True:
                batch = self._compute.survey(admin_context(), name, after)
                found += batch.presences
                after = batch.after
                if after is None:
                    heard.hosts[name] = tuple(found)
                    return
        except exception.NovaLiteError as error:
            heard.unheard[name] = str(error)


@dataclass(frozen=True)
class Doors:
    """Whom to ask besides the database; None is not asked, and nothing is said of it.

    ``with_statuses``: each volume's status, too, for which the volume service must show them all.
    """

    hosts: Hosts | None = None
    image: ImageAPI | None = None
    network: NetworkAPI | None = None
    volume: VolumeAPI | None = None
    with_statuses: bool = False


def holds(volume: VolumeAPI) -> tuple[Hold, ...]:
    """Every attachment. :raises Unavailable: nobody can tell."""
    return tuple(
        Hold(each.id, each.volume_id, each.instance_uuid, each.is_complete, each.status)
        for each in volume.all_attachments(None)
    )
