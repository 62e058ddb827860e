"""Volumes and block devices."""

from __future__ import annotations

from nova_lite.exception.kinds import Conflict, Invalid, NotFound, Unavailable


class NoVolumeService(Unavailable):
    sentence = "The catalogue has no volume service; see [cinder] endpoint_template."


class VolumeNotFound(NotFound):
    sentence = "Volume %(volume_id)s could not be found."


class VolumeTypeNotFound(NotFound):
    sentence = "Volume type %(name)s could not be found."


class SnapshotNotFound(NotFound):
    sentence = "Snapshot %(snapshot_id)s could not be found."


class VolumeAttachmentNotFound(NotFound):
    sentence = "Volume attachment %(attachment_id)s could not be found."


class VolumeNotAttached(NotFound):
    sentence = "Instance %(instance_uuid)s is not attached to volume %(volume_id)s"


class VolumeDeviceNotFound(NotFound):
    sentence = "No volume Block Device Mapping with id %(volume_id)s."


class InvalidInput(Invalid):
    sentence = "Invalid input received: %(reason)s"


class InvalidVolume(Invalid):
    sentence = "Invalid volume: %(reason)s"


class VolumeNotCreated(Invalid):
    """A build waited for its volume in vain."""

    sentence = (
        "Volume %(volume_id)s did not finish being created "
        "even after we waited %(seconds)s seconds. And its status is %(status)s."
    )


class InvalidDevicePath(Invalid):
    sentence = "The supplied device path (%(path)s) is invalid."


class DevicePathInUse(Conflict):
    sentence = "The supplied device path (%(path)s) is in use."


class MultiattachTooEarly(Invalid):
    sentence = "Multiattach volumes are only supported starting with compute API version 2.60."


class InvalidBlockDevice(Invalid):
    """A block device of a create body that cannot be; ``details`` in Nova's words."""

    sentence = "Block Device Mapping is Invalid: %(details)s"
