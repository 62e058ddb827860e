"""Where a guest's console can be reached, and the token that lets a client at it."""

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass

from nova_lite.objects.base import TravellingObject


class ConsoleType(enum.StrEnum):
    """As the API names them (API reference, "Server Remote Consoles")."""

    NOVNC = "novnc"
    SPICE_HTML5 = "spice-html5"
    SPICE_DIRECT = "spice-direct"
    SERIAL = "serial"
    WEBMKS = "webmks"


@dataclass(frozen=True)
class ConsoleAddress(TravellingObject):
    """What a proxy connects to. ``access_url_base`` is the proxy's own address, which the client's URL begins with."""

    host: str
    port: int
    access_url_base: str
    tls_port: int | None = None
    internal_access_path: str | None = None


@dataclass(frozen=True)
class ConsoleToken(TravellingObject):
    """A console somebody may use until ``expires_at`` (naive UTC); the token itself is nowhere kept, only its hash."""

    instance_uuid: str
    console_type: str
    address: ConsoleAddress
    expires_at: datetime.datetime
