"""BuildFailureWeigher: builds that failed in a row on a host count against it, above all else by default."""

from __future__ import annotations

from collections.abc import Sequence

from nova_lite.objects import RequestSpec
from nova_lite.scheduler.base import Weigher
from nova_lite.scheduler.host_state import HostState


class BuildFailureWeigher(Weigher):
    name = "BuildFailureWeigher"
    option = "build_failure_weight_multiplier"

    def raws(self, hosts: Sequence[HostState], spec: RequestSpec) -> list[float]:
        return [-host.build_failures for host in hosts]
