"""KeyPair: a public key that belongs to a user."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from nova_lite.objects.base import TravellingObject


@dataclass(frozen=True)
class KeyPair(TravellingObject):
    """``type`` is ``ssh`` or ``x509``; ``fingerprint`` is MD5 hex pairs for ssh, SHA-1 for x509."""

    name: str
    user_id: str
    fingerprint: str
    public_key: str
    type: str = "ssh"
    id: int | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
