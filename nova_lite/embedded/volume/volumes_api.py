"""/v3/volumes: create, list, show, change, delete, and their metadata."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import webob

from nova_lite import exception
from nova_lite.embedded.volume import fields, lists, records, views
from nova_lite.embedded.volume.filling import Filling
from nova_lite.embedded.volume.records import Volume, VolumeType
from nova_lite.embedded.volume.requests import Asked, routes
from nova_lite.embedded.volume.rules import Caller
from nova_lite.embedded.volume.store import Store
from nova_lite.embedded.wsgi import Route, empty_response, json_response

_DELETABLE = (records.AVAILABLE, records.ERROR, "error_deleting", "error_extending", "maintenance")


def visible(store: Store, caller: Caller, volume_id: str) -> Volume:
    """:raises NotFound: there is none that the caller may see."""
    volume = store.volumes.get(volume_id)
    if not caller.can_see(volume):
        raise exception.NotFound(f"Volume {volume_id:.64} could not be found.")
    return volume


def delete(store: Store, volume: Volume, force: bool = False) -> None:
    """Under the store's lock. :raises Invalid: it is used, or busy."""
    attached = bool(store.attachments_of(volume.id))
    if (volume.status not in _DELETABLE and not force) or attached:
        raise exception.Invalid(
            "Invalid volume: Volume status must be available or error or error_restoring or error_extending or "
            "error_managing and must not be migrating, attached, belong to a group, have snapshots or be disassociated "
            "from snapshots after volume transfer."
        )
    if store.snapshots_of(volume.id):
        raise exception.Invalid(f"Invalid volume: Volume {volume.id} has snapshots.")
    store.volumes.put(volume.changed(status=records.DELETING))
    store.forget_volume(volume.id)


@dataclass(frozen=True)
class _Source:
    """Where a new volume's content comes from; at most one id is set. ``least`` GiB hold it."""

    image: Any = None
    snapshot_id: str | None = None
    volume_id: str | None = None
    least: int = 0
    type_id: str | None = None
    image_metadata: dict[str, str] | None = None
    bootable: bool = False


class VolumesApi:
    def __init__(self, store: Store, filling: Filling) -> None:
        self._store = store
        self._filling = filling

    def routes(self) -> list[Route]:
        one = "/volumes/{volume_id}"
        return [
            *routes("POST", "/volumes", self.create),
            *routes("GET", "/volumes", self.index),
            *routes("GET", "/volumes/detail", self.detail),
            *routes("GET", "/volumes/summary", self.summary, since=(3, 12)),
            *routes("GET", one, self.show),
            *routes("PUT", one, self.update),
            *routes("DELETE", one, self.delete),
            *routes("GET", one + "/metadata", self.metadata),
            *routes("POST", one + "/metadata", self.add_metadata),
            *routes("PUT", one + "/metadata", self.set_metadata),
            *routes("GET", one + "/metadata/{key}", self.metadata_item),
            *routes("PUT", one + "/metadata/{key}", self.add_metadata),
            *routes("DELETE", one + "/metadata/{key}", self.remove_metadata),
        ]

    # -- create -----------------------------------------------------------------------------------

    def create(self, asked: Asked) -> webob.Response:
        asked.caller.require_write("volume:create")
        wanted = asked.body("volume")
        source = self._source(asked, wanted)
        size = fields.size("size", wanted.get("size")) or source.least
        if not size:
            raise exception.Invalid("Invalid input received: Volume size 'None' must be an integer and greater than 0")
        if size < source.least:
            raise exception.Invalid(
                f"Invalid input received: Volume size {size}GB cannot be smaller than its source's {source.least}GB."
            )
        volume_type = self._type(fields.text("volume_type", wanted.get("volume_type")) or source.type_id)
        volume = Volume(
            id=str(uuid.uuid4()),
            project_id=asked.caller.project_id,
            user_id=asked.caller.user_id,
            created_at=records.now(),
            name=fields.text("name", wanted.get("name")),
            description=fields.text("description", wanted.get("description")),
            size=size,
            bootable=source.bootable,
            multiattach=volume_type.multiattach,
            volume_type=volume_type.id,
            availability_zone=fields.text("availability_zone", wanted.get("availability_zone")) or "nova",
            snapshot_id=source.snapshot_id,
            source_volid=source.volume_id,
            metadata=fields.metadata("metadata", wanted.get("metadata")),
            image_metadata=source.image_metadata or {},
        )
        self._store.volumes.put(volume)
        self._filling.volume(volume, source.image, asked.caller.token)
        return self._changed(asked, volume, 202)

    def _source(self, asked: Asked, wanted: dict[str, Any]) -> _Source:
        image_id = fields.text("imageRef", wanted.get("imageRef") or wanted.get("image_id"))
        snapshot_id = fields.uuid("snapshot_id", wanted.get("snapshot_id"))
        volume_id = fields.uuid("source_volid", wanted.get("source_volid"))
        if sum(each is not None for each in (image_id, snapshot_id, volume_id)) > 1:
            raise exception.Invalid("Invalid input received: a volume has one source at most")
        if image_id:
            return self._from_image(asked, image_id)
        if snapshot_id:
            snapshot = self._store.snapshots.get(snapshot_id)
            if not asked.caller.can_see(snapshot):
                raise exception.NotFound(f"Snapshot {snapshot_id} could not be found.")
            if snapshot.status != records.AVAILABLE:
                raise exception.Invalid(
                    f"Invalid snapshot: Originating snapshot status must be one of 'available', not {snapshot.status}"
                )
            kind = self._store.volumes.get(snapshot.volume_id).volume_type
            return _Source(
                snapshot_id=snapshot_id, least=snapshot.size, type_id=kind, image_metadata=snapshot.image_metadata,
                bootable=snapshot.bootable,
            )  # fmt: skip
        if volume_id:
            volume = visible(self._store, asked.caller, volume_id)
            if volume.status not in (records.AVAILABLE, records.IN_USE):
                raise exception.Invalid(
                    f"Invalid volume: Invalid source volume {volume_id}: its status is {volume.status}"
                )
            return _Source(
                volume_id=volume_id,
                least=volume.size,
                type_id=volume.volume_type,
                image_metadata=volume.image_metadata,
                bootable=volume.bootable,
            )
        return _Source()

    def _from_image(self, asked: Asked, image_id: str) -> _Source:
        image = self._filling.image(image_id, asked.caller.token)
        if image.status != "active":
            raise exception.Invalid(f"Invalid input received: Image {image_id} is not active.")
        least = max(image.min_disk, -(-max(image.size or 0, image.virtual_size or 0) // records.GIB))
        return _Source(image=image, least=max(least, 1), image_metadata=image_facts(image), bootable=True)

    def _type(self, name: str | None) -> VolumeType:
        try:
            return self._store.type_named(name or records.DEFAULT_TYPE)
        except exception.NotFound as error:
            raise exception.NotFound(f"Volume type with name {name:.255} could not be found.") from error

    # -- read -------------------------------------------------------------------------------------

    def _answer(self, asked: Asked, volume: Volume) -> webob.Response:
        return json_response({"volume": self._view(asked, volume)})

    def _changed(self, asked: Asked, volume: Volume, status: int = 200) -> webob.Response:
        """The answer to a create or an update, which Cinder gives without what its extensions add."""
        view = self._view(asked, volume)
        kept = {key: view[key] for key in view if not key.startswith("os-vol-") and key != "volume_image_metadata"}
        return json_response({"volume": kept}, status)

    def _view(self, asked: Asked, volume: Volume) -> dict[str, Any]:
        kind = next((each for each in self._store.types.all() if each.id == volume.volume_type), None)
        return views.volume(asked, volume, self._store.attachments_of(volume.id), kind)

    def _page(self, asked: Asked, collection: str) -> Any:
        names = {
            "name": lambda each: each.name,
            "status": lambda each: each.status,
            "size": lambda each: each.size,
            "bootable": lambda each: each.bootable,
            "metadata": lambda each: each.metadata,
            "availability_zone": lambda each: each.availability_zone,
            "id": lambda each: each.id,
            "created_at": lambda each: each.created_at,
            "updated_at": lambda each: each.updated_at,
            "user_id": lambda each: each.user_id,
        }
        return lists.page(asked, self._store.volumes.all(), names, collection)

    def index(self, asked: Asked) -> webob.Response:
        shown, following = self._page(asked, "volumes")
        body: dict[str, Any] = {"volumes": [views.short(asked, each, "volumes") for each in shown]}
        return json_response(body | ({"volumes_links": following} if following else {}))

    def detail(self, asked: Asked) -> webob.Response:
        shown, following = self._page(asked, "volumes/detail")
        body: dict[str, Any] = {"volumes": [self._view(asked, each) for each in shown]}
        return json_response(body | ({"volumes_links": following} if following else {}))

    def summary(self, asked: Asked) -> webob.Response:
        shown = [each for each in self._store.volumes.all() if each.project_id == asked.caller.project_id]
        total = {"total_size": sum(each.size for each in shown), "total_count": len(shown)}
        return json_response({"volume-summary": total | ({"metadata": {}} if asked.wants((3, 36)) else {})})

    def show(self, asked: Asked, volume_id: str) -> webob.Response:
        return self._answer(asked, visible(self._store, asked.caller, volume_id))

    # -- change -----------------------------------------------------------------------------------

    def update(self, asked: Asked, volume_id: str) -> webob.Response:
        asked.caller.require_write("volume:update")
        wanted = asked.body("volume")
        changes: dict[str, Any] = {}
        for key, name in (("name", "name"), ("display_name", "name"), ("description", "description")):
            if key in wanted:
                changes[name] = fields.text(key, wanted[key])
        if "metadata" in wanted:
            changes["metadata"] = fields.metadata("metadata", wanted["metadata"])
        with self._store.lock:
            volume = self._store.volumes.put(visible(self._store, asked.caller, volume_id).changed(**changes))
        return self._changed(asked, volume)

    def delete(self, asked: Asked, volume_id: str) -> webob.Response:
        asked.caller.require_write("volume:delete")
        with self._store.lock:
            volume = visible(self._store, asked.caller, volume_id)
            if asked.http.GET.get("cascade", "").lower() in ("true", "1"):
                for snapshot in self._store.snapshots_of(volume_id):
                    self._store.forget_snapshot(snapshot.id)
            delete(self._store, volume)
        return empty_response(202)

    # -- metadata ---------------------------------------------------------------------------------

    def metadata(self, asked: Asked, volume_id: str) -> webob.Response:
        return json_response({"metadata": dict(visible(self._store, asked.caller, volume_id).metadata)})

    def metadata_item(self, asked: Asked, volume_id: str, key: str) -> webob.Response:
        found = visible(self._store, asked.caller, volume_id).metadata
        if key not in found:
            raise exception.NotFound(f"Metadata item was not found: {key:.255}")
        return json_response({"meta": {key: found[key]}})

    def add_metadata(self, asked: Asked, volume_id: str, key: str | None = None) -> webob.Response:
        given = fields.metadata("metadata", asked.body("metadata" if key is None else "meta"))
        found = self._change(asked, volume_id, lambda old: {**old, **given})
        return json_response({"metadata": found} if key is None else {"meta": given})

    def set_metadata(self, asked: Asked, volume_id: str) -> webob.Response:
        given = fields.metadata("metadata", asked.body("metadata"))
        return json_response({"metadata": self._change(asked, volume_id, lambda old: given)})

    def remove_metadata(self, asked: Asked, volume_id: str, key: str) -> webob.Response:
        def without(old: dict[str, str]) -> dict[str, str]:
            if key not in old:
                raise exception.NotFound(f"Metadata item was not found: {key:.255}")
            return {name: value for name, value in old.items() if name != key}

        self._change(asked, volume_id, without)
        return empty_response(200)

    def _change(self, asked: Asked, volume_id: str, change: Any) -> dict[str, str]:
        asked.caller.require_write("volume:update_volume_metadata")
        with self._store.lock:
            volume = visible(self._store, asked.caller, volume_id)
            changed = fields.metadata("metadata", change(dict(volume.metadata)))
            return dict(self._store.volumes.put(volume.changed(metadata=changed)).metadata)


def image_facts(image: Any) -> dict[str, str]:
    """What a volume keeps of the image that it was made of, as text."""
    facts: dict[str, Any] = {
        "image_id": image.id, "image_name": image.name, "checksum": image.checksum, "size": image.size,
        "container_format": image.container_format, "disk_format": image.disk_format, "min_disk": image.min_disk,
        "min_ram": image.min_ram, **image.properties,
    }  # fmt: skip
    return {key: str(value) for key, value in facts.items() if value is not None}
