"""The scheduler over the wire.

Version history:

    1.0  select_destinations
"""

from __future__ import annotations

from nova_lite import rpc
from nova_lite.context import RequestContext
from nova_lite.objects import Placement, RequestSpec

TOPIC = "scheduler"
VERSION = "1.0"

# A decision takes milliseconds: a scheduler that is silent for so long is dead, and another may be asked.
TIMEOUT_S = 10.0


class SchedulerAPI:
    """Address, version and message; what the verbs mean is said at the manager."""

    def __init__(self) -> None:
        self._client = rpc.get_client(TOPIC, VERSION)

    def select_destinations(
        self, ctxt: RequestContext, specs: list[RequestSpec], alternates: int
    ) -> list[Placement]:
        placements: list[Placement] = self._client.call(
            ctxt, "select_destinations", timeout_s=TIMEOUT_S, specs=specs, alternates=alternates
        )
        return placements
