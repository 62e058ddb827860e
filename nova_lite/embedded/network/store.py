"""The network service's records on disk: one JSON file each, put in place by a rename, all of them in memory too.

What an answer said survives kill -9: a record is on the disk before the answer. One process at a time owns the
directory; within it one change at a time holds the lock, so that no address is given twice.
"""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nova_lite import clock, concurrency, exception
from nova_lite.embedded import files
from nova_lite.embedded.network import faults
from nova_lite.embedded.network.nouns import NOUNS, Record

# What is looked for in large collections: records by the values of these attributes.
_INDEXES = {
    "port": ("device_id", "network_id", "project_id"), "subnet": ("network_id",),
    "security_group": ("project_id",), "security_group_rule": ("security_group_id",),
}  # fmt: skip
# Beside the nouns: limits by project, and what was done once.
KINDS = (*(noun.name for noun in NOUNS), "quota", "mark")


class Store:
    """Records by noun and id. ``directory`` None keeps them in memory only."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._lock = concurrency.RLock()
        self._records: dict[str, dict[str, Record]] = {kind: {} for kind in KINDS}
        self._index: dict[tuple[str, str, Any], dict[str, None]] = {}
        if directory is not None:
            for kind in self._records:
                self._load(kind, files.private_dir(directory / kind))

    def _load(self, kind: str, place: Path) -> None:
        for path in sorted(place.iterdir()):
            if path.suffix != ".json":
                path.unlink()
                continue
            try:
                record = json.loads(path.read_bytes())
                ident = record["id"]
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise exception.ConfigInvalid(detail=f"The record {path} is unusable: {error}") from error
            self._remember(kind, ident, record)

    @contextlib.contextmanager
    def change(self) -> Iterator[None]:
        """Nobody else changes anything meanwhile."""
        with self._lock:
            yield

    # -- reading: what is answered belongs to the store and must not be changed -----------------------

    def find(self, kind: str, ident: str) -> Record | None:
        return self._records[kind].get(ident)

    def get(self, kind: str, ident: str) -> Record:
        """:raises Missing: there is none."""
        record = self._records[kind].get(ident)
        if record is None:
            raise faults.missing(kind, ident)
        return record

    def all(self, kind: str) -> list[Record]:
        return list(self._records[kind].values())

    def where(self, kind: str, name: str, value: Any) -> list[Record]:
        """Those with that value of an indexed attribute."""
        found = (self._records[kind].get(ident) for ident in list(self._index.get((kind, name, value), ())))
        return [record for record in found if record is not None]

    # -- writing --------------------------------------------------------------------------------------

    def put(self, kind: str, record: Record) -> Record:
        """Keep a new record, or the new form of one; touched now."""
        now = clock.utcnow().strftime("%Y-%m-%dT%H:%M:%SZ")
        record = {
            **copy.deepcopy(record), "created_at": record.get("created_at") or now, "updated_at": now,
            "revision_number": record.get("revision_number", -1) + 1,
        }  # fmt: skip
        if self._directory is not None:
            files.replace_private(self._path(kind, record["id"]), json.dumps(record).encode())
        self._forget(kind, record["id"])
        self._remember(kind, record["id"], record)
        return record

    def remove(self, kind: str, ident: str) -> None:
        """A record that is not there is no error."""
        self._forget(kind, ident)
        if self._directory is not None:
            path = self._path(kind, ident)
            path.unlink(missing_ok=True)
            concurrency.run_blocking(files.sync_dir, path.parent)

    def _path(self, kind: str, ident: str) -> Path:
        assert self._directory is not None
        return self._directory / kind / f"{ident}.json"

    def _remember(self, kind: str, ident: str, record: Record) -> None:
        self._records[kind][ident] = record
        for name in _INDEXES.get(kind, ()):
            self._index.setdefault((kind, name, record.get(name)), {})[ident] = None

    def _forget(self, kind: str, ident: str) -> None:
        record = self._records[kind].pop(ident, None)
        for name in _INDEXES.get(kind, ()) if record is not None else ():
            assert record is not None
            key = (kind, name, record.get(name))
            self._index[key].pop(ident, None)
            if not self._index[key]:
                del self._index[key]
