"""POST /v3/volumes/{id}/action: one key in the body says which."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import webob

from nova_lite import concurrency, exception
from nova_lite.embedded.volume import copying, fields, records, volumes_api
from nova_lite.embedded.volume.filling import Filling
from nova_lite.embedded.volume.records import Volume
from nova_lite.embedded.volume.requests import EXTEND_IN_USE, Asked, Version, routes
from nova_lite.embedded.volume.store import Store
from nova_lite.embedded.wsgi import Route, empty_response, json_response

REIMAGE: Version = (3, 68)


class ActionsApi:
    """Each method has the store's lock, the volume as it is now, and what stands behind the key."""

    def __init__(self, store: Store, filling: Filling) -> None:
        self._store = store
        self._filling = filling
        self._actions: dict[str, Callable[[Asked, Volume, dict[str, Any]], webob.Response]] = {
            "os-extend": self.extend,
            "os-reserve": self.reserve,
            "os-unreserve": self.unreserve,
            "os-begin_detaching": self.begin_detaching,
            "os-roll_detaching": self.roll_detaching,
            "os-set_bootable": self.set_bootable,
            "os-update_readonly_flag": self.update_readonly_flag,
            "os-set_image_metadata": self.set_image_metadata,
            "os-unset_image_metadata": self.unset_image_metadata,
            "os-show_image_metadata": self.show_image_metadata,
            "os-reset_status": self.reset_status,
            "os-force_delete": self.force_delete,
            "os-retype": self.retype,
            "os-reimage": self.reimage,
        }

    def routes(self) -> list[Route]:
        return routes("POST", "/volumes/{volume_id}/action", self.act)

    def act(self, asked: Asked, volume_id: str) -> webob.Response:
        asked.caller.require_write("volume_extension:volume_actions")
        body = asked.json()
        if not isinstance(body, dict) or len(body) != 1:
            raise exception.Invalid("There must be exactly one action in the request body.")
        ((name, given),) = body.items()
        if name not in self._actions:
            raise exception.Invalid(f"There is no such action: {name:.64}")
        with self._store.lock:
            volume = volumes_api.visible(self._store, asked.caller, volume_id)
            return self._actions[name](asked, volume, given if isinstance(given, dict) else {})

    def _put(self, volume: Volume, **changes: Any) -> webob.Response:
        self._store.volumes.put(volume.changed(**changes))
        return empty_response(202)

    def _require(self, volume: Volume, *statuses: str) -> None:
        if volume.status not in statuses:
            raise exception.Invalid(
                f"Invalid volume: Volume {volume.id} status must be {' or '.join(statuses)}, but current status is: "
                f"{volume.status}."
            )

    def extend(self, asked: Asked, volume: Volume, given: dict[str, Any]) -> webob.Response:
        allowed = (records.AVAILABLE, records.IN_USE) if asked.wants(EXTEND_IN_USE) else (records.AVAILABLE,)
        self._require(volume, *allowed)
        size = fields.size("new_size", given.get("new_size"))
        if size is None or size <= volume.size:
            raise exception.Invalid(
                f"Invalid input received: New size for extend must be greater than current size. "
                f"(current: {volume.size}, extended: {size})."
            )
        concurrency.run_blocking(copying.resize, self._store.volume_path(volume.id), size)
        return self._put(volume, size=size)

    def reserve(self, asked: Asked, volume: Volume, given: dict[str, Any]) -> webob.Response:
        self._require(volume, records.AVAILABLE)
        return self._put(volume, status=records.RESERVED)

    def unreserve(self, asked: Asked, volume: Volume, given: dict[str, Any]) -> webob.Response:
        if volume.status in (records.RESERVED, records.ATTACHING):
            attached = any(each.status == "attached" for each in self._store.attachments_of(volume.id))
            self._put(volume, status=records.IN_USE if attached else records.AVAILABLE)
        return empty_response(202)

    def begin_detaching(self, asked: Asked, volume: Volume, given: dict[str, Any]) -> webob.Response:
        if volume.status != records.IN_USE:
            raise exception.Invalid(
                "Invalid volume: Unable to detach volume. Volume status must be 'in-use' and attach_status must be "
                "'attached' to detach."
            )
        return self._put(volume, status=records.DETACHING)

    def roll_detaching(self, asked: Asked, volume: Volume, given: dict[str, Any]) -> webob.Response:
        return self._put(volume, status=records.IN_USE) if volume.status == records.DETACHING else empty_response(202)

    def set_bootable(self, asked: Asked, volume: Volume, given: dict[str, Any]) -> webob.Response:
        self._put(volume, bootable=fields.flag("bootable", given.get("bootable")))
        return empty_response(200)

    def update_readonly_flag(self, asked: Asked, volume: Volume, given: dict[str, Any]) -> webob.Response:
        self._require(volume, records.AVAILABLE)
        return self._put(volume, readonly=fields.flag("readonly", given.get("readonly")))

    def set_image_metadata(self, asked: Asked, volume: Volume, given: dict[str, Any]) -> webob.Response:
        added = fields.metadata("metadata", given.get("metadata"))
        found = {**volume.image_metadata, **added}
        self._put(volume, image_metadata=found)
        return json_response({"metadata": found})

    def unset_image_metadata(self, asked: Asked, volume: Volume, given: dict[str, Any]) -> webob.Response:
        key = fields.word("key", given.get("key"))
        if key not in volume.image_metadata:
            raise exception.NotFound(f"Metadata item was not found: {key}")
        self._put(volume, image_metadata={name: value for name, value in volume.image_metadata.items() if name != key})
        return empty_response(200)

    def show_image_metadata(self, asked: Asked, volume: Volume, given: dict[str, Any]) -> webob.Response:
        return json_response({"metadata": dict(volume.image_metadata)})

    def reset_status(self, asked: Asked, volume: Volume, given: dict[str, Any]) -> webob.Response:
        asked.caller.require_admin("volume_extension:volume_admin_actions:reset_status")
        changes: dict[str, Any] = {}
        if given.get("status") is not None:
            changes["status"] = fields.word("status", given["status"]).lower()
            if changes["status"] not in records.STATUSES:
                raise fields.bad("status", given["status"], f"one of {', '.join(records.STATUSES)}")
        if "migration_status" in given:
            changes["migration_status"] = fields.text("migration_status", given["migration_status"])
        if given.get("attach_status") == "detached":
            for each in self._store.attachments_of(volume.id):
                self._store.attachments.drop(each.id)
        return self._put(volume, **changes)

    def force_delete(self, asked: Asked, volume: Volume, given: dict[str, Any]) -> webob.Response:
        asked.caller.require_admin("volume_extension:volume_admin_actions:force_delete")
        for each in self._store.attachments_of(volume.id):
            self._store.attachments.drop(each.id)
        volumes_api.delete(self._store, volume, force=True)
        return empty_response(202)

    def retype(self, asked: Asked, volume: Volume, given: dict[str, Any]) -> webob.Response:
        self._require(volume, records.AVAILABLE, records.IN_USE)
        kind = self._store.type_named(fields.word("new_type", given.get("new_type")))
        if kind.id == volume.volume_type:
            raise exception.Invalid("Invalid input received: New volume_type same as original.")
        if kind.multiattach != volume.multiattach and volume.status == records.IN_USE:
            raise exception.Invalid("Invalid volume: the multiattach of a volume in use cannot change.")
        return self._put(volume, volume_type=kind.id, multiattach=kind.multiattach)

    def reimage(self, asked: Asked, volume: Volume, given: dict[str, Any]) -> webob.Response:
        """Put an image into the volume; a reserved one only where the caller says so."""
        if asked.version < REIMAGE:
            raise exception.NotFound("The resource could not be found.")
        reserved = fields.flag("reimage_reserved", given.get("reimage_reserved", False))
        allowed = (records.AVAILABLE, records.ERROR, *((records.RESERVED,) if reserved else ()))
        self._require(volume, *allowed)
        image = self._filling.image(fields.word("image_id", given.get("image_id")), asked.caller.token)
        back_to = records.RESERVED if volume.status == records.RESERVED else records.AVAILABLE
        facts = volumes_api.image_facts(image)
        volume = self._store.volumes.put(
            volume.changed(status=records.DOWNLOADING, image_metadata=facts, bootable=True)
        )
        self._filling.reimage(volume, image, asked.caller.token, back_to)
        return empty_response(202)
