"""Tokens that were given up before their time: a small file, forgotten as the tokens expire."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

from nova_lite import clock, concurrency, exception
from nova_lite.embedded import files


class Revocations:
    """Audit ids of revoked tokens; bounded, because only a valid token can be revoked and each expires.

    :raises ConfigInvalid: the file is there but unusable: a revoked token must not come back to life.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = concurrency.Lock()
        self._expiry: dict[str, datetime.datetime] = {}
        self._revoked_at: dict[str, datetime.datetime] = {}
        try:
            rows = json.loads(path.read_text("utf-8")) if path.exists() else []
            for audit_id, expires, revoked in rows:
                self._expiry[audit_id] = datetime.datetime.fromisoformat(expires)
                self._revoked_at[audit_id] = datetime.datetime.fromisoformat(revoked)
        except (OSError, ValueError, TypeError) as error:
            raise exception.ConfigInvalid(detail=f"The list of revoked tokens {path} is unusable: {error}") from error

    def __contains__(self, audit_id: str) -> bool:
        return audit_id in self._expiry

    def add(self, audit_id: str, expires_at: datetime.datetime) -> None:
        """Revoke; on the disk when this returns."""
        with self._lock:
            now = clock.utcnow()
            # Two days more than the life of the token: expired tokens may still be looked up with allow_expired.
            grace = datetime.timedelta(days=2)
            for old in [key for key, expiry in self._expiry.items() if expiry + grace < now]:
                del self._expiry[old], self._revoked_at[old]
            self._expiry[audit_id] = expires_at
            self._revoked_at[audit_id] = now
            rows = [[key, self._expiry[key].isoformat(), self._revoked_at[key].isoformat()] for key in self._expiry]
            files.replace_private(self._path, json.dumps(rows).encode())

    def all(self) -> list[tuple[str, datetime.datetime]]:
        """Each audit id with the time of its revocation."""
        return list(self._revoked_at.items())
