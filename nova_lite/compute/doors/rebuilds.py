"""Rebuilding servers from another image, or the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nova_lite import exception, quota
from nova_lite.compute import actions
from nova_lite.compute.create import check_sizes
from nova_lite.compute.doors.door import Door
from nova_lite.conductor import rebuilds
from nova_lite.context import RequestContext
from nova_lite.db.api import instances, keypairs
from nova_lite.objects import ImageMeta, Instance


@dataclass(frozen=True)
class RebuildRequest:
    """``values`` are the server's fields that the body gives new values; ``key_name`` in it brings its key along.

    ``reimages``: a root disk that is a volume is written anew, too; otherwise it keeps what it has.
    """

    image_ref: str
    values: Mapping[str, Any]
    preserve_ephemeral: bool = False
    reimages: bool = True


class RebuildDoor(Door):
    def rebuild(self, ctxt: RequestContext, instance: Instance, request: RebuildRequest) -> Instance:
        """Accept a rebuild; the server as it is then, with its new image.

        :raises InstanceIsLocked, InstanceInvalidState, InstanceNotLaunched, InstanceNotReady: refused.
        :raises Invalid: there is no such image or key, or the image cannot be used.
        :raises Forbidden: more metadata than the quota.
        """
        self.check(ctxt, instance, actions.REBUILD)
        image = self._new_image(ctxt, instance, request)
        most = quota.limits(instance.project_id)["metadata_items"]
        if 0 <= most < len(request.values.get("metadata", ())):
            raise exception.Forbidden(f"Maximum number of metadata items exceeds {most}")
        root = next((device for device in instance.block_devices if device.is_root), None)
        check_sizes(instance.flavor, image, root)
        values = {
            **request.values,
            **_key(ctxt, request.values),
            "image_ref": "" if instance.is_volume_backed else image.id,
            "image": image,
            "kernel_id": image.properties.get("kernel_id", ""),
            "ramdisk_id": image.properties.get("ramdisk_id", ""),
            "progress": 0,
        }
        args = {
            "was": instance.vm_state, "preserve_ephemeral": request.preserve_ephemeral,
            "former": rebuilds.former(instance, values),
        }  # fmt: skip
        if instance.is_volume_backed and request.reimages:
            args["reimage"] = image.id
        self.accept(ctxt, instance, actions.REBUILD, args, values=values)
        return instances.get(instance.uuid)

    def _new_image(self, ctxt: RequestContext, instance: Instance, request: RebuildRequest) -> ImageMeta:
        try:
            image = self._image.get(ctxt, request.image_ref)
        except exception.ImageNotFound:
            raise exception.Invalid("Cannot find image for rebuild") from None
        if instance.is_volume_backed and not request.reimages:
            present = instance.image.id if instance.image is not None else ""
            if image.id != present:
                reason = "Unable to rebuild with a different image for a volume-backed server."
                raise exception.ImageUnacceptable(image_id=image.id, reason=reason)
        return image


def _key(ctxt: RequestContext, values: Mapping[str, Any]) -> dict[str, Any]:
    """The key's own half of ``key_name``; None takes the key away."""
    if "key_name" not in values:
        return {}
    if values["key_name"] is None:
        return {"key_data": None}
    try:
        return {"key_data": keypairs.get(str(ctxt.user_id), values["key_name"]).public_key}
    except exception.KeypairNotFound:
        raise exception.Invalid("Invalid key_name provided.") from None
