"""Creating servers once, however often a client says so: the header Idempotency-Key of POST /servers.

Nova has no such thing; who does not send the header sees no difference. The key is the project's own. What is kept with
the acceptance, for 24 hours, is what it takes to answer the same again, but no password: one that this cloud makes up
is derived from the key, of which only a hash is kept, and a random salt. One that the client chose stands in the
repeated request itself. So neither the database alone nor the key alone gives a password away, and no answer lacks it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any

from nova_lite import exception
from nova_lite.db.api import idempotency
from nova_lite.objects import CreatedServer, Instance

MOST_CHARS = 255


@dataclass(frozen=True)
class Made:
    """What a creation answers, the first time and every other."""

    server: CreatedServer
    reservation_id: str
    salt: str = ""


class Once:
    """One request under a client's key. ``request`` is all that makes another request another one."""

    def __init__(self, project_id: str, key: str, request: Any) -> None:
        """:raises Invalid: the key is no key."""
        if not 0 < len(key) <= MOST_CHARS or not key.isprintable():
            raise exception.Invalid(f"Idempotency-Key must have 1 to {MOST_CHARS} printable characters")
        self._project_id = project_id
        self._key = key.encode()
        self._key_hash = hashlib.sha256(self._key).hexdigest()
        # Keyed, so that what is kept is of no use for guessing a password that stands in the request.
        text = json.dumps(request, sort_keys=True, separators=(",", ":")).encode()
        self._body_hash = hmac.new(self._key, text, hashlib.sha256).hexdigest()
        self.salt = secrets.token_hex(16)

    def kept(self) -> Made | None:
        """What was answered when the request was accepted before; None when it was not.

        :raises IdempotencyKeyReused: the key was used for another request.
        """
        found = idempotency.find(self._project_id, self._key_hash)
        if found is None:
            return None
        if not hmac.compare_digest(found.body_hash, self._body_hash):
            raise exception.IdempotencyKeyReused()
        answer = dict(found.answer)
        groups = tuple(answer["security_groups"])
        server = CreatedServer(answer["uuid"], answer["auto_disk_config"], groups)
        return Made(server, answer["reservation_id"], answer["salt"])

    def keep(self, first: Instance) -> None:
        """Remember the answer, in the transaction that accepts the servers, of which this is the first.

        :raises IdempotencyKeyInUse: the same or another request with this key was accepted meanwhile.
        """
        answer = {
            "uuid": first.uuid,
            "auto_disk_config": first.auto_disk_config,
            "security_groups": list(first.security_groups),
            "reservation_id": first.reservation_id or "",
            "salt": self.salt,
        }
        idempotency.keep(self._project_id, self._key_hash, self._body_hash, answer)

    def secret(self, salt: str) -> bytes:
        """What only who knows the key and what is kept with it can know."""
        return hmac.new(bytes.fromhex(salt), self._key, hashlib.sha256).digest()
