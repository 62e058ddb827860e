"""RAMWeigher: memory free after claims (MiB): spreads, or stacks with a negative multiplier."""

from __future__ import annotations

from collections.abc import Sequence

from nova_lite.objects import RequestSpec
from nova_lite.scheduler.base import Weigher
from nova_lite.scheduler.host_state import HostState


class RAMWeigher(Weigher):
    name = "RAMWeigher"
    option = "ram_weight_multiplier"

    def raws(self, hosts: Sequence[HostState], spec: RequestSpec) -> list[float]:
        return [host.free_memory_mb for host in hosts]
