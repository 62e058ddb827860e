"""/v3/attachments: who holds a volume; reserved first, then connected, then complete."""

from __future__ import annotations

import uuid
from typing import Any

import webob

from nova_lite import exception
from nova_lite.embedded.volume import fields, lists, records, views
from nova_lite.embedded.volume.records import Attachment, Volume
from nova_lite.embedded.volume.requests import ATTACH_COMPLETE, ATTACH_MODE, ATTACHMENTS, Asked, routes
from nova_lite.embedded.volume.store import Store
from nova_lite.embedded.volume.volumes_api import visible
from nova_lite.embedded.wsgi import Route, empty_response, json_response

_MODES = ("rw", "ro")
# What a volume's attachments make of it; the last one that is there decides.
_STRONGER = (("reserved", records.RESERVED), ("attaching", records.ATTACHING), ("attached", records.IN_USE))


class AttachmentsApi:
    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        one = "/attachments/{attachment_id}"
        return [
            *routes("POST", "/attachments", self.create, since=ATTACHMENTS),
            *routes("GET", "/attachments", self.index, since=ATTACHMENTS),
            *routes("GET", "/attachments/detail", self.detail, since=ATTACHMENTS),
            *routes("GET", one, self.show, since=ATTACHMENTS),
            *routes("PUT", one, self.update, since=ATTACHMENTS),
            *routes("DELETE", one, self.delete, since=ATTACHMENTS),
            *routes("POST", one + "/action", self.act, since=ATTACH_COMPLETE),
        ]

    # -- change -----------------------------------------------------------------------------------

    def create(self, asked: Asked) -> webob.Response:
        asked.caller.require_write("volume:attachment_create")
        wanted = asked.body("attachment")
        volume_id = fields.uuid("volume_uuid", wanted.get("volume_uuid"))
        if volume_id is None:
            raise fields.bad("volume_uuid", None, "a 'uuid'")
        mode = fields.text("mode", wanted.get("mode")) if asked.wants(ATTACH_MODE) else None
        if mode is not None and mode not in _MODES:
            raise fields.bad("mode", mode, "rw or ro")
        connector = _connector(wanted.get("connector"))
        attachment = Attachment(
            id=str(uuid.uuid4()),
            user_id=asked.caller.user_id,
            created_at=records.now(),
            volume_id=volume_id,
            instance=fields.uuid("instance_uuid", wanted.get("instance_uuid")) or "",
            mode=mode,
        )
        with self._store.lock:
            volume = visible(self._store, asked.caller, volume_id)
            self._check_free(volume, attachment.instance)
            attachment = self._store.attachments.put(attachment.changed(project_id=volume.project_id))
            if volume.status == records.AVAILABLE:
                volume = self._reserved(volume, attachment)
            if connector is not None:
                attachment = self._connect(volume, attachment, connector)
        return self._answer(attachment)

    def _reserved(self, volume: Volume, attachment: Attachment) -> Volume:
        try:
            return self._store.volumes.put(volume.changed(status=records.RESERVED))
        except OSError:  # a full disk
            self._store.attachments.drop(attachment.id)
            raise

    def _check_free(self, volume: Volume, instance: str) -> None:
        """:raises Invalid: the volume is somebody else's just now; the same server may hold it twice, to be moved.

        Not while it is just being connected or let go (Cinder's ``_attachment_reserve``).
        """
        if volume.status == records.AVAILABLE or (volume.multiattach and volume.status == records.IN_USE):
            return
        held = self._store.attachments_of(volume.id)
        shared = volume.multiattach or all(each.instance == instance for each in held)
        if instance and held and shared and volume.status in (records.IN_USE, records.RESERVED):
            return
        raise exception.Invalid(
            f"Invalid volume: Volume {volume.id} status must be available or downloading to reserve, but the current "
            f"status is {volume.status}."
        )

    def update(self, asked: Asked, attachment_id: str) -> webob.Response:
        asked.caller.require_write("volume:attachment_update")
        connector = _connector(asked.body("attachment").get("connector"))
        if connector is None:
            raise fields.bad("connector", None, "an object")
        with self._store.lock:
            attachment = self._visible(asked, attachment_id)
            volume = self._store.volumes.get(attachment.volume_id)
            held = self._store.attachments_of(volume.id)
            if len(held) > 1 and not volume.multiattach and any(each.connector for each in held):
                raise exception.Invalid(f"Invalid volume: duplicate connectors detected on volume {volume.id}.")
            attachment = self._connect(volume, attachment, connector)
        return self._answer(attachment)

    def _connect(self, volume: Volume, attachment: Attachment, connector: dict[str, Any]) -> Attachment:
        if attachment.status == "attached":
            return attachment
        if volume.status == records.RESERVED:
            self._store.volumes.put(volume.changed(status=records.ATTACHING))
        return self._store.attachments.put(attachment.changed(status="attaching", connector=connector))

    def act(self, asked: Asked, attachment_id: str) -> webob.Response:
        asked.caller.require_write("volume:attachment_complete")
        body = asked.json()
        if not isinstance(body, dict) or "os-complete" not in body:
            raise exception.Invalid("There is no such action.")
        with self._store.lock:
            attachment = self._visible(asked, attachment_id)
            volume = self._store.volumes.get(attachment.volume_id)
            if volume.status not in (records.ATTACHING, records.IN_USE, records.RESERVED, records.DETACHING):
                raise exception.Invalid(f"Invalid volume: Volume {volume.id} is {volume.status}: nothing to complete.")
            if attachment.status != "attached":
                self._store.attachments.put(attachment.changed(status="attached", attached_at=records.now()))
            self._store.volumes.put(volume.changed(status=records.IN_USE))
        return empty_response(204)

    def delete(self, asked: Asked, attachment_id: str) -> webob.Response:
        asked.caller.require_write("volume:attachment_delete")
        with self._store.lock:
            attachment = self._visible(asked, attachment_id)
            if attachment.instance and attachment.connector and not asked.caller.is_service:
                # OSSA-2023-003: what a server may be using is given back by the compute service only.
                raise exception.Conflict(f"Detach volume from instance {attachment.instance} using the Compute API")
            left = [each for each in self._store.attachments_of(attachment.volume_id) if each.id != attachment_id]
            # The status first: who is not answered asks again, and must still find what it asks for.
            self._loosen(attachment.volume_id, left)
            self._store.attachments.drop(attachment_id)
        return json_response({"attachments": [views.attachment_item(each) for each in left]})

    def _loosen(self, volume_id: str, left: list[Attachment]) -> None:
        """The volume's status is what its remaining attachments make it."""
        try:
            volume = self._store.volumes.get(volume_id)
        except exception.NotFound:
            return
        if volume.status in (records.DELETING, records.ERROR, records.DOWNLOADING):
            return
        held = {each.status for each in left}
        status = records.AVAILABLE
        for how, found in _STRONGER:
            status = found if how in held else status
        self._store.volumes.put(volume.changed(status=status))

    # -- read -------------------------------------------------------------------------------------

    def _visible(self, asked: Asked, attachment_id: str) -> Attachment:
        attachment = self._store.attachments.get(attachment_id)
        if not asked.caller.can_see(attachment):
            raise exception.NotFound(
                f"Volume attachment could not be found with filter: attachment_id = {attachment_id:.64}."
            )
        return attachment

    def _answer(self, attachment: Attachment) -> webob.Response:
        return json_response({"attachment": views.attachment(attachment, self._connection(attachment))})

    def _connection(self, attachment: Attachment) -> dict[str, Any]:
        """How a hypervisor of this machine reaches the volume: a file."""
        if attachment.connector is None:
            return {}
        volume = self._store.volumes.get(attachment.volume_id)
        return {
            "driver_volume_type": "local",
            "device_path": str(self._store.volume_path(volume.id)),
            "format": "raw",
            "access_mode": "ro" if attachment.mode == "ro" or volume.readonly else "rw",
            "volume_id": volume.id,
            "attachment_id": attachment.id,
            "encrypted": False,
            "discard": True,
            "qos_specs": None,
        }

    def show(self, asked: Asked, attachment_id: str) -> webob.Response:
        return self._answer(self._visible(asked, attachment_id))

    def index(self, asked: Asked) -> webob.Response:
        shown, following = self._page(asked, "attachments")
        body: dict[str, Any] = {"attachments": [views.attachment_item(each) for each in shown]}
        return json_response(body | ({"attachments_links": following} if following else {}))

    def detail(self, asked: Asked) -> webob.Response:
        shown, following = self._page(asked, "attachments/detail")
        body: dict[str, Any] = {"attachments": [views.attachment(each, self._connection(each)) for each in shown]}
        return json_response(body | ({"attachments_links": following} if following else {}))

    def _page(self, asked: Asked, collection: str) -> Any:
        names = {
            "volume_id": lambda each: each.volume_id,
            "instance_id": lambda each: each.instance,
            "instance_uuid": lambda each: each.instance,
            "status": lambda each: each.status,
            "attach_status": lambda each: each.status,
            "id": lambda each: each.id,
            "created_at": lambda each: each.created_at,
        }
        return lists.page(asked, self._store.attachments.all(), names, collection)


def _connector(value: Any) -> dict[str, Any] | None:
    """:raises Invalid: no flat object."""
    if value is None or value == {}:
        return None
    if not isinstance(value, dict) or len(value) > 64:
        raise fields.bad("connector", value, "an object")
    return dict(value)
