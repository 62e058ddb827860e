"""/v3/snapshots: create, list, show, change, delete, and their metadata."""

from __future__ import annotations

import uuid
from typing import Any

import webob

from nova_lite import exception
from nova_lite.embedded.volume import fields, lists, records, views
from nova_lite.embedded.volume.filling import Filling
from nova_lite.embedded.volume.records import Snapshot
from nova_lite.embedded.volume.requests import Asked, routes
from nova_lite.embedded.volume.store import Store
from nova_lite.embedded.volume.volumes_api import visible
from nova_lite.embedded.wsgi import Route, empty_response, json_response

_FREE, _ANY = (records.AVAILABLE,), (records.AVAILABLE, records.IN_USE)


class SnapshotsApi:
    def __init__(self, store: Store, filling: Filling) -> None:
        self._store = store
        self._filling = filling

    def routes(self) -> list[Route]:
        one = "/snapshots/{snapshot_id}"
        return [
            *routes("POST", "/snapshots", self.create),
            *routes("GET", "/snapshots", self.index),
            *routes("GET", "/snapshots/detail", self.detail),
            *routes("GET", one, self.show),
            *routes("PUT", one, self.update),
            *routes("DELETE", one, self.delete),
            *routes("GET", one + "/metadata", self.metadata),
            *routes("POST", one + "/metadata", self.add_metadata),
            *routes("PUT", one + "/metadata", self.set_metadata),
            *routes("DELETE", one + "/metadata/{key}", self.remove_metadata),
            *routes("POST", one + "/action", self.act),
        ]

    def create(self, asked: Asked) -> webob.Response:
        asked.caller.require_write("volume:create_snapshot")
        wanted = asked.body("snapshot")
        volume_id = fields.uuid("volume_id", wanted.get("volume_id"))
        if volume_id is None:
            raise fields.bad("volume_id", None, "a 'uuid'")
        forced = fields.flag("force", wanted.get("force", False)) or asked.wants((3, 66))
        with self._store.lock:
            volume = visible(self._store, asked.caller, volume_id)
            allowed = _ANY if forced else _FREE
            if volume.status not in allowed:
                raise exception.Invalid(
                    f"Invalid volume: Volume {volume_id} status must be {' or '.join(allowed)}, but current status is: "
                    f"{volume.status}."
                )
            snapshot = Snapshot(
                id=str(uuid.uuid4()),
                project_id=volume.project_id,
                user_id=asked.caller.user_id,
                created_at=records.now(),
                volume_id=volume_id,
                name=fields.text("name", wanted.get("name")),
                description=fields.text("description", wanted.get("description")),
                size=volume.size,
                metadata=fields.metadata("metadata", wanted.get("metadata")),
                bootable=volume.bootable,
                image_metadata=dict(volume.image_metadata),
            )
            self._store.snapshots.put(snapshot)
        self._filling.snapshot(snapshot)
        return json_response({"snapshot": views.snapshot(asked, snapshot)}, 202)

    def _visible(self, asked: Asked, snapshot_id: str) -> Snapshot:
        snapshot = self._store.snapshots.get(snapshot_id)
        if not asked.caller.can_see(snapshot):
            raise exception.NotFound(f"Snapshot {snapshot_id:.64} could not be found.")
        return snapshot

    def _page(self, asked: Asked, collection: str) -> Any:
        names = {
            "name": lambda each: each.name,
            "status": lambda each: each.status,
            "volume_id": lambda each: each.volume_id,
            "id": lambda each: each.id,
            "created_at": lambda each: each.created_at,
            "metadata": lambda each: each.metadata,
        }
        return lists.page(asked, self._store.snapshots.all(), names, collection)

    def index(self, asked: Asked) -> webob.Response:
        return self._list(asked, "snapshots")

    def detail(self, asked: Asked) -> webob.Response:
        return self._list(asked, "snapshots/detail")

    def _list(self, asked: Asked, collection: str) -> webob.Response:
        """The short list of Cinder's snapshots shows as much as the long one, less what extensions added."""
        shown, following = self._page(asked, collection)
        body: dict[str, Any] = {"snapshots": [views.snapshot(asked, each) for each in shown]}
        return json_response(body | ({"snapshots_links": following} if following else {}))

    def show(self, asked: Asked, snapshot_id: str) -> webob.Response:
        return json_response({"snapshot": views.snapshot(asked, self._visible(asked, snapshot_id))})

    def update(self, asked: Asked, snapshot_id: str) -> webob.Response:
        asked.caller.require_write("volume:update_snapshot")
        wanted = asked.body("snapshot")
        changes = {key: fields.text(key, wanted[key]) for key in ("name", "description") if key in wanted}
        with self._store.lock:
            snapshot = self._store.snapshots.put(self._visible(asked, snapshot_id).changed(**changes))
        return json_response({"snapshot": views.snapshot(asked, snapshot)})

    def delete(self, asked: Asked, snapshot_id: str) -> webob.Response:
        asked.caller.require_write("volume:delete_snapshot")
        with self._store.lock:
            snapshot = self._visible(asked, snapshot_id)
            if snapshot.status not in (records.AVAILABLE, records.ERROR, "error_deleting"):
                raise exception.Invalid("Invalid snapshot: Snapshot status must be available or error to be deleted.")
            self._forget(snapshot)
        return empty_response(202)

    def _forget(self, snapshot: Snapshot) -> None:
        self._store.snapshots.put(snapshot.changed(status=records.DELETING))
        self._store.forget_snapshot(snapshot.id)

    def act(self, asked: Asked, snapshot_id: str) -> webob.Response:
        asked.caller.require_admin("volume_extension:snapshot_admin_actions")
        body = asked.json()
        with self._store.lock:
            snapshot = self._visible(asked, snapshot_id)
            if isinstance(body, dict) and isinstance(body.get("os-reset_status"), dict):
                status = fields.word("status", body["os-reset_status"].get("status"))
                self._store.snapshots.put(snapshot.changed(status=status))
            elif isinstance(body, dict) and "os-force_delete" in body:
                self._forget(snapshot)
            else:
                raise exception.Invalid("There is no such action.")
        return empty_response(202)

    # -- metadata ---------------------------------------------------------------------------------

    def metadata(self, asked: Asked, snapshot_id: str) -> webob.Response:
        return json_response({"metadata": dict(self._visible(asked, snapshot_id).metadata)})

    def add_metadata(self, asked: Asked, snapshot_id: str) -> webob.Response:
        given = fields.metadata("metadata", asked.body("metadata"))
        return self._change(asked, snapshot_id, lambda old: {**old, **given})

    def set_metadata(self, asked: Asked, snapshot_id: str) -> webob.Response:
        given = fields.metadata("metadata", asked.body("metadata"))
        return self._change(asked, snapshot_id, lambda old: given)

    def remove_metadata(self, asked: Asked, snapshot_id: str, key: str) -> webob.Response:
        def without(old: dict[str, str]) -> dict[str, str]:
            if key not in old:
                raise exception.NotFound(f"Metadata item was not found: {key:.255}")
            return {name: value for name, value in old.items() if name != key}

        self._change(asked, snapshot_id, without)
        return empty_response(200)

    def _change(self, asked: Asked, snapshot_id: str, change: Any) -> webob.Response:
        asked.caller.require_write("volume:update_snapshot_metadata")
        with self._store.lock:
            snapshot = self._visible(asked, snapshot_id)
            found = fields.metadata("metadata", change(dict(snapshot.metadata)))
            self._store.snapshots.put(snapshot.changed(metadata=found))
        return json_response({"metadata": found})
