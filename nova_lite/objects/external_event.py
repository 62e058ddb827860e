"""ExternalEvent: what another service says that happened to something of a server's."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from nova_lite.objects.base import TravellingObject


class EventName(enum.StrEnum):
    NETWORK_CHANGED = "network-changed"
    VIF_PLUGGED = "network-vif-plugged"
    VIF_UNPLUGGED = "network-vif-unplugged"
    VIF_DELETED = "network-vif-deleted"
    VOLUME_EXTENDED = "volume-extended"
    POWER_UPDATE = "power-update"
    ACCELERATOR_BOUND = "accelerator-request-bound"
    VOLUME_REIMAGED = "volume-reimaged"


@dataclass(frozen=True)
class ExternalEvent(TravellingObject):
    """``tag`` says which port, volume or power state; ``status`` how it went there: completed, failed, in-progress."""

    instance_uuid: str
    name: str
    status: str = "completed"
    tag: str | None = None
