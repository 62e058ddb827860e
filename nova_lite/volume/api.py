"""The door to the volume service."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg

from nova_lite import concurrency, exception
from nova_lite.context import RequestContext
from nova_lite.volume import meta
from nova_lite.volume.cinder import Cinder, checked_id
from nova_lite.volume.errors import Missing
from nova_lite.volume.meta import Attachment, Snapshot, Volume

# What a volume on its way to being usable may be meanwhile.
PASSING = ("creating", "downloading")
_REIMAGE = "3.68"
# The metadata item of a volume that is made for a server: its id.
MADE_FOR = "nova_lite_server"
# And of a snapshot, the image.
MADE_FOR_IMAGE = "nova_lite_image"
PAGE = 1000


class API:
    """Volumes as the caller may see them: with the context's token where it has one, else as nova-lite itself.

    Errors of all methods: VolumeNotFound, SnapshotNotFound, VolumeAttachmentNotFound, InvalidInput, Unauthorized,
    Forbidden, Unavailable (NoVolumeService where the catalogue has none).
    """

    def __init__(self, conf: cfg.ConfigOpts = cfg.CONF) -> None:
        self._conf = conf
        self._cinder = Cinder(conf)

    # -- volumes ----------------------------------------------------------------------------------

    def get(self, ctxt: RequestContext | None, volume_id: str) -> Volume:
        missing = _no_volume(volume_id)
        path = f"/volumes/{checked_id(volume_id, missing)}"
        return meta.volume(self._cinder.request(ctxt, "GET", path, missing))

    def create(
        self,
        ctxt: RequestContext | None,
        size: int,
        name: str,
        *,
        image_id: str | None = None,
        snapshot_id: str | None = None,
        volume_type: str | None = None,
        made_for: str | None = None,
    ) -> Volume:
        """A new volume of ``size`` GiB, blank or made of an image or a snapshot; it is not ready yet.

        ``made_for`` is the server that it is made for, see :meth:`made_for`.
        """
        wanted: dict[str, Any] = {
            "size": size, "name": name, "imageRef": image_id, "snapshot_id": snapshot_id, "volume_type": volume_type,
            "metadata": {MADE_FOR: made_for} if made_for else None,
        }  # fmt: skip
        body = {"volume": {key: value for key, value in wanted.items() if value is not None}}
        missing = _no_volume_type(volume_type) if volume_type else _no_snapshot(str(snapshot_id))
        return meta.volume(self._cinder.request(ctxt, "POST", "/volumes", missing, body))

    def made_for(self, ctxt: RequestContext | None, instance_uuid: str) -> list[Volume]:
        """The volumes that were made for a server, whosever they are."""
        query = {"all_tenants": "1", "metadata": str({MADE_FOR: instance_uuid})}
        body = self._cinder.request(ctxt, "GET", "/volumes/detail", exception.NotFound, query=query)
        found = body.get("volumes", ()) if isinstance(body, dict) else ()
        return [meta.volume({"volume": each}) for each in found]

    def delete(self, ctxt: RequestContext | None, volume_id: str) -> None:
        """One that is gone is no error."""
        missing = _no_volume(volume_id)
        try:
            self._cinder.request(ctxt, "DELETE", f"/volumes/{checked_id(volume_id, missing)}", missing)
        except exception.VolumeNotFound:
            return

    def wait_available(self, ctxt: RequestContext | None, volume_id: str) -> Volume:
        """The volume, once its content is there.

        :raises VolumeNotCreated: it failed, or took longer than [cinder] allows.
        """
        options = self._conf.cinder
        for attempt in range(options.block_device_allocate_retries + 1):
            if attempt:
                concurrency.sleep(options.block_device_allocate_retries_interval)
            volume = self.get(ctxt, volume_id)
            if volume.status not in PASSING:
                break
        if volume.status in (*PASSING, "error"):
            waited_s = int(attempt * options.block_device_allocate_retries_interval)
            raise exception.VolumeNotCreated(volume_id=volume_id, seconds=waited_s, status=volume.status)
        return volume

    def reimage(self, ctxt: RequestContext | None, volume_id: str, image_id: str) -> None:
        """Begin to put an image into a volume; it is downloading until that is done."""
        given = {"image_id": image_id, "reimage_reserved": True}
        self._act(ctxt, volume_id, {"os-reimage": given}, version=_REIMAGE)

    def begin_detaching(self, ctxt: RequestContext | None, volume_id: str) -> None:
        self._act(ctxt, volume_id, {"os-begin_detaching": None})

    def roll_detaching(self, ctxt: RequestContext | None, volume_id: str) -> None:
        self._act(ctxt, volume_id, {"os-roll_detaching": None})

    def _act(self, ctxt: RequestContext | None, volume_id: str, body: Any, **options: Any) -> None:
        missing = _no_volume(volume_id)
        path = f"/volumes/{checked_id(volume_id, missing)}/action"
        self._cinder.request(ctxt, "POST", path, missing, body, **options)

    def has_type(self, ctxt: RequestContext | None, name: str) -> bool:
        """Whether there is a volume type of that name or id."""
        body = self._cinder.request(ctxt, "GET", "/types", exception.NotFound, query={"is_public": "None"})
        found = body.get("volume_types", ()) if isinstance(body, dict) else ()
        return any(name in (each.get("name"), each.get("id")) for each in found)

    # -- snapshots --------------------------------------------------------------------------------

    def get_snapshot(self, ctxt: RequestContext | None, snapshot_id: str) -> Snapshot:
        missing = _no_snapshot(snapshot_id)
        path = f"/snapshots/{checked_id(snapshot_id, missing)}"
        return meta.snapshot(self._cinder.request(ctxt, "GET", path, missing))

    def create_snapshot(
        self, ctxt: RequestContext | None, volume_id: str, name: str, made_for: str | None = None
    ) -> Snapshot:
        """A snapshot of a volume, also of one in use; it is not ready yet.

        ``made_for`` is the image that it is made for, see :meth:`snapshots_made_for`.
        """
        wanted: dict[str, Any] = {"volume_id": volume_id, "name": name, "description": "", "force": True}
        if made_for is not None:
            wanted["metadata"] = {MADE_FOR_IMAGE: made_for}
        made = self._cinder.request(ctxt, "POST", "/snapshots", _no_volume(volume_id), {"snapshot": wanted})
        return meta.snapshot(made)

    def snapshots_made_for(self, ctxt: RequestContext | None, image_id: str) -> list[Snapshot]:
        """The snapshots that were made for an image, whosever they are."""
        query = {"all_tenants": "1", "metadata": str({MADE_FOR_IMAGE: image_id})}
        body = self._cinder.request(ctxt, "GET", "/snapshots/detail", exception.NotFound, query=query)
        found = body.get("snapshots", ()) if isinstance(body, dict) else ()
        return [meta.snapshot({"snapshot": each}) for each in found]

    def wait_snapshot(self, ctxt: RequestContext | None, snapshot_id: str) -> Snapshot:
        """The snapshot, once it is made or failed, or [cinder] does not let us wait any longer."""
        options = self._conf.cinder
        snapshot = self.get_snapshot(ctxt, snapshot_id)
        for _ in range(options.block_device_allocate_retries):
            if snapshot.status != "creating":
                break
            concurrency.sleep(options.block_device_allocate_retries_interval)
            snapshot = self.get_snapshot(ctxt, snapshot_id)
        return snapshot

    def delete_snapshot(self, ctxt: RequestContext | None, snapshot_id: str) -> None:
        """One that is gone is no error."""
        missing = _no_snapshot(snapshot_id)
        try:
            self._cinder.request(ctxt, "DELETE", f"/snapshots/{checked_id(snapshot_id, missing)}", missing)
        except exception.SnapshotNotFound:
            return

    # -- attachments ------------------------------------------------------------------------------

    def attachment_create(self, ctxt: RequestContext | None, volume_id: str, instance_uuid: str) -> str:
        """Reserve a volume for a server; the attachment's id."""
        body = {"attachment": {"volume_uuid": volume_id, "instance_uuid": instance_uuid}}
        answer = self._cinder.request(ctxt, "POST", "/attachments", _no_volume(volume_id), body)
        return meta.attachment(answer).id

    def attachment_connect(
        self, ctxt: RequestContext | None, volume_id: str, instance_uuid: str, connector: dict[str, Any],
        mountpoint: str | None,
    ) -> Attachment:
        """Reserve and connect a volume in one, while another host of the same server has it still."""
        asked = {"volume_uuid": volume_id, "instance_uuid": instance_uuid}
        body = {"attachment": {**asked, "connector": {**connector, "mountpoint": mountpoint}}}
        return meta.attachment(self._cinder.request(ctxt, "POST", "/attachments", _no_volume(volume_id), body))

    def attachment_update(
        self, ctxt: RequestContext | None, attachment_id: str, connector: dict[str, Any], mountpoint: str | None
    ) -> Attachment:
        """Tell the volume service which host will use it; the answer says how to reach the data."""
        body = {"attachment": {"connector": {**connector, "mountpoint": mountpoint}}}
        return meta.attachment(self._attachment(ctxt, "PUT", attachment_id, body))

    def attachment_complete(self, ctxt: RequestContext | None, attachment_id: str) -> None:
        self._attachment(ctxt, "POST", attachment_id, {"os-complete": attachment_id}, "/action")

    def attachment_delete(self, ctxt: RequestContext | None, attachment_id: str) -> None:
        """Give a volume back; an attachment that is gone is no error."""
        try:
            self._attachment(ctxt, "DELETE", attachment_id)
        except exception.VolumeAttachmentNotFound:
            return

    def attachments_of(self, ctxt: RequestContext | None, instance_uuid: str) -> list[Attachment]:
        """Everything that the volume service keeps for a server, whoever asked for it."""
        query = {"instance_id": instance_uuid, "all_tenants": "1"}
        body = self._cinder.request(ctxt, "GET", "/attachments", exception.NotFound, query=query)
        found = body.get("attachments", ()) if isinstance(body, dict) else ()
        return [meta.attachment_item(each) for each in found]

    def all_attachments(self, ctxt: RequestContext | None) -> list[Attachment]:
        """Every attachment of every project."""
        return [meta.attachment_item(each) for each in self._every(ctxt, "/attachments", "attachments")]

    def statuses(self, ctxt: RequestContext | None) -> dict[str, str]:
        """The status of every volume of every project."""
        rows = self._every(ctxt, "/volumes/detail", "volumes")
        return {str(row.get("id")): str(row.get("status")) for row in rows}

    def _every(self, ctxt: RequestContext | None, path: str, key: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        query = {"all_tenants": "1", "limit": str(PAGE)}
        while True:
            body = self._cinder.request(ctxt, "GET", path, exception.NotFound, query=query)
            rows = body.get(key) if isinstance(body, dict) else None
            if not isinstance(rows, list):
                raise exception.Unavailable(f"The volume service's answer is no list of {key}.")
            found += rows
            # A service may answer fewer than it was asked for; it says when there are more.
            if not rows or not body.get(f"{key}_links") or rows[-1]["id"] == query.get("marker"):
                return found
            query["marker"] = str(rows[-1]["id"])

    def _attachment(
        self, ctxt: RequestContext | None, method: str, attachment_id: str, body: Any = None, below: str = ""
    ) -> Any:
        missing = _no_attachment(attachment_id)
        path = f"/attachments/{checked_id(attachment_id, missing)}{below}"
        return self._cinder.request(ctxt, method, path, missing, body)


def _no_volume(volume_id: str) -> Missing:
    return lambda: exception.VolumeNotFound(volume_id=f"{volume_id!s:.64}")


def _no_volume_type(name: str) -> Missing:
    return lambda: exception.VolumeTypeNotFound(name=f"{name:.255}")


def _no_snapshot(snapshot_id: str) -> Missing:
    return lambda: exception.SnapshotNotFound(snapshot_id=f"{snapshot_id!s:.64}")


def _no_attachment(attachment_id: str) -> Missing:
    return lambda: exception.VolumeAttachmentNotFound(attachment_id=f"{attachment_id!s:.64}")
