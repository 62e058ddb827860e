"""Rescuing servers whose own disk does not boot, and bringing them back."""

from __future__ import annotations

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.compute.doors.door import Door
from nova_lite.context import RequestContext
from nova_lite.objects import Instance


class RescueDoor(Door):
    """:raises InstanceIsLocked, InstanceInvalidState, InstanceNotLaunched, InstanceNotReady: refused."""

    def rescue(
        self, ctxt: RequestContext, instance: Instance, image_ref: str | None, *, volumes: bool = True
    ) -> None:
        """Accept a rescue, from ``image_ref`` or from the image that the server was made of.

        :raises UnsupportedRescueImage: there is no such image, or it boots from volumes.
        :param volumes: the caller knows that a server whose root disk is a volume may be rescued.
        :raises InstanceNotRescuable: its root disk is a volume, and nothing says what to boot instead.
        """
        self.check(ctxt, instance, actions.RESCUE)
        if image_ref is not None:
            self._check_image(ctxt, image_ref)
        known = image_ref or (instance.image is not None and instance.image.id)
        if instance.is_volume_backed and not (volumes and known):
            reason = "Cannot rescue a volume-backed instance"
            raise exception.InstanceNotRescuable(instance_uuid=instance.uuid, reason=reason)
        self.accept(ctxt, instance, actions.RESCUE, {"image_ref": image_ref})

    def unrescue(self, ctxt: RequestContext, instance: Instance) -> None:
        """Accept that the server boots its own disk again."""
        self.accept(ctxt, instance, actions.UNRESCUE, {})

    def _check_image(self, ctxt: RequestContext, image_ref: str) -> None:
        try:
            image = self._image.get(ctxt, image_ref)
        except exception.ImageNotFound:
            raise exception.UnsupportedRescueImage(image=image_ref) from None
        if image.status != "active" or "block_device_mapping" in image.properties:
            raise exception.UnsupportedRescueImage(image=image_ref)
