"""Images made of servers: on demand, as backups with a rotation, and, for others, as what a shelved server leaves."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from nova_lite import exception, quota
from nova_lite.compute import actions
from nova_lite.compute.doors.door import Door, Neighbours
from nova_lite.compute.doors.volume_images import VolumeImageDoor
from nova_lite.context import RequestContext
from nova_lite.db.api import provisional_images
from nova_lite.objects import Instance

# Of the image a server was made of, what must not be said of an image made of the server: signatures of other bytes,
# other services' marks (Nova's non_inheritable_image_properties), and what only the image service may write.
_NOT_INHERITED = frozenset(
    {
        "cache_in_nova", "bittorrent", "img_signature_hash_method", "img_signature", "img_signature_key_type",
        "img_signature_certificate_uuid", "block_device_mapping", "bdm_v2", "mappings", "root_device_name",
    }
)  # fmt: skip
_RESERVED = ("os_glance_", "owner_specified.")


class ImagingDoor(Door):
    """What every action needs that leaves an image: it is there, without data, before the request is accepted."""

    def accept_with_image(
        self,
        ctxt: RequestContext,
        instance: Instance,
        row: actions.Action,
        name: str,
        properties: Mapping[str, str],
        args: Mapping[str, Any],
    ) -> str:
        """The image's id. Whatever becomes of the request or of this process: nothing that it does not fill stays.

        :raises InstanceIsLocked, InstanceInvalidState, InstanceNotLaunched, InstanceNotReady: refused.
        :raises Forbidden, Invalid, Unavailable: the image service does not want it.
        """
        self.check(ctxt, instance, row)
        image_id = str(uuid.uuid4())
        provisional_images.promise(image_id, instance.uuid, self.acceptance_s)
        min_ram = instance.image.min_ram if instance.image is not None else 0
        try:
            self._image.create(ctxt, image_id, name, properties, min_disk=instance.flavor.root_gb, min_ram=min_ram)
            self.accept(
                ctxt, instance, row, {**args, "image_id": image_id},
                also=lambda operation_id: provisional_images.bind(image_id, operation_id),
            )  # fmt: skip
        except BaseException:
            provisional_images.refused(image_id, instance.uuid)
            raise
        return image_id


class SnapshotDoor(ImagingDoor):
    """createImage and createBackup; errors as in :meth:`ImagingDoor.accept_with_image`."""

    def __init__(self, neighbours: Neighbours) -> None:
        super().__init__(neighbours)
        self._of_volumes = VolumeImageDoor(neighbours)

    def create_image(self, ctxt: RequestContext, instance: Instance, name: str, metadata: Mapping[str, str]) -> str:
        """Accept a snapshot; the image's id. ``metadata`` become properties of the image.

        :raises Forbidden: more metadata than the quota.
        """
        _check_metadata(ctxt, metadata)
        properties = {**snapshot_properties(ctxt, instance), **metadata}
        if instance.is_volume_backed:
            return self._of_volumes.create(ctxt, instance, name, properties)
        return self.accept_with_image(ctxt, instance, actions.CREATE_IMAGE, name, properties, {})

    def create_backup(
        self, ctxt: RequestContext, instance: Instance, name: str, backup_type: str, rotation: int,
        metadata: Mapping[str, str],
    ) -> str:  # fmt: skip
        """Accept a backup, of which the newest ``rotation`` of its type are kept; the image's id.

        :raises Forbidden: more metadata than the quota; :raises Invalid: its root disk is a volume.
        """
        _check_metadata(ctxt, metadata)
        if instance.is_volume_backed:
            self.check(ctxt, instance, actions.CREATE_BACKUP)
            raise exception.Invalid("Backup is not supported for volume-backed instances.")
        own = {"image_type": "backup", "backup_type": backup_type}
        properties = {**snapshot_properties(ctxt, instance), **metadata, **own}
        args = {"backup_type": backup_type, "rotation": rotation}
        return self.accept_with_image(ctxt, instance, actions.CREATE_BACKUP, name, properties, args)

    def image_url(self, ctxt: RequestContext, image_id: str) -> str:
        """The image's address at the image service."""
        return self._image.url(ctxt, image_id)


def snapshot_properties(ctxt: RequestContext, instance: Instance) -> dict[str, str]:
    """What an image says of the server it was made of, and what it inherits of the one that the server was made of."""
    inherited = dict(instance.image.properties) if instance.image is not None else {}
    found = {
        name: value for name, value in inherited.items()
        if name not in _NOT_INHERITED and not name.startswith(_RESERVED)
    }  # fmt: skip
    found |= {
        "instance_uuid": instance.uuid,
        "user_id": str(ctxt.user_id or instance.user_id),
        "image_type": "snapshot",
        "image_location": "snapshot",
        "image_state": "available",
        "owner_id": instance.project_id,
        "base_image_ref": instance.image_ref,
        "boot_roles": ",".join(ctxt.roles or ()),
    }
    names = {"owner_user_name": ctxt.user_name, "owner_project_name": ctxt.project_name}
    found |= {name: str(value) for name, value in names.items() if value}
    for name, value in (("kernel_id", instance.kernel_id), ("ramdisk_id", instance.ramdisk_id)):
        if value:
            found[name] = value
    return found


def _check_metadata(ctxt: RequestContext, metadata: Mapping[str, str]) -> None:
    most = quota.limits(str(ctxt.project_id))["metadata_items"]
    if 0 <= most < len(metadata):
        raise exception.Forbidden("Image metadata limit exceeded")
