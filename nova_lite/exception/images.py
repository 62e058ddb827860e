"""Images, and servers that are made from them again."""

from __future__ import annotations

from nova_lite.exception.kinds import Conflict, Invalid, NotFound


class ImageNotFound(NotFound):
    sentence = "Image %(image_id)s could not be found."


class ImageUnacceptable(Invalid):
    """The image's bytes are not what they claim, or reach outside themselves (SECURITY S1-S9)."""

    sentence = "Image %(image_id)s is unacceptable: %(reason)s"


class UnsupportedRescueImage(Invalid):
    sentence = "Requested rescue image '%(image)s' is not supported"


class InstanceNotRescuable(Invalid):
    sentence = "Instance %(instance_uuid)s cannot be rescued: %(reason)s"


class UnshelveInstanceInvalidState(Conflict):
    sentence = (
        "Specifying an availability zone or a host when unshelving server '%(instance_uuid)s' with status "
        "'%(state)s' is not supported. The server status must be SHELVED_OFFLOADED."
    )


class UnshelveHostNotInAZ(Conflict):
    sentence = "Host '%(host)s' is not in the availability zone '%(availability_zone)s'."
