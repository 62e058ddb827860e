"""DiskWeigher: local disk free after claims (GiB): spreads, or stacks with a negative multiplier."""

from __future__ import annotations

from collections.abc import Sequence

from nova_lite.objects import RequestSpec
from nova_lite.scheduler.base import Weigher
from nova_lite.scheduler.host_state import HostState


class DiskWeigher(Weigher):
    name = "DiskWeigher"
    option = "disk_weight_multiplier"

    def raws(self, hosts: Sequence[HostState], spec: RequestSpec) -> list[float]:
        return [host.free_disk_gb for host in hosts]
