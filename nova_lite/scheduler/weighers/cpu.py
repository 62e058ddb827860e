"""CPUWeigher: vCPUs free after claims: spreads, or stacks with a negative multiplier."""

from __future__ import annotations

from collections.abc import Sequence

from nova_lite.objects import RequestSpec
from nova_lite.scheduler.base import Weigher
from nova_lite.scheduler.host_state import HostState


class CPUWeigher(Weigher):
    name = "CPUWeigher"
    option = "cpu_weight_multiplier"

    def raws(self, hosts: Sequence[HostState], spec: RequestSpec) -> list[float]:
        return [host.free_vcpus for host in hosts]
