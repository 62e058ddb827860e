"""Removes the images that nothing came of, and the snapshots of volumes that were made for them.

Their operations failed, were superseded or never accepted.
"""

from __future__ import annotations

import logging

from nova_lite import exception
from nova_lite.db.api import instances, provisional_images
from nova_lite.db.api.provisional_images import ProvisionalImage
from nova_lite.image.api import API as ImageAPI
from nova_lite.volume.api import API as VolumeAPI

LOG = logging.getLogger(__name__)


def remove(images: ImageAPI, volumes: VolumeAPI) -> None:
    """One round. While the image service is away everything waits; several conductors may do it at once.

    What cannot be removed lets all others go first: not even one that is always "unavailable" keeps them.
    """
    for image in provisional_images.due():
        if not provisional_images.doom(image.image_id):
            continue
        try:
            _one(images, volumes, image)
        except exception.Unavailable as error:
            LOG.warning("Image %s has to go, and a neighbour is away: %s", image.image_id, error.message)
            return
        except (exception.Forbidden, exception.Conflict) as error:
            # Protected, or in use by another service: whoever did that owns it now.
            LOG.error("Image %s stays, though nothing came of it: %s", image.image_id, error.message)
            provisional_images.keep(image.image_id)
        except exception.NovaLiteError as error:
            LOG.error("Image %s has to go and could not be removed: %s", image.image_id, error.message)


def _one(images: ImageAPI, volumes: VolumeAPI, image: ProvisionalImage) -> None:
    if not _holds_a_server(image):
        if images.delete(None, image.image_id):
            LOG.info("Removed image %s of server %s, which nothing came of", image.image_id, image.instance_uuid)
        if not _are_snapshots_gone(volumes, image):
            return
    provisional_images.keep(image.image_id)


def _are_snapshots_gone(volumes: VolumeAPI, image: ProvisionalImage) -> bool:
    """Remove the snapshots of volumes that were made for the image; False while one is being made."""
    try:
        server = instances.get(image.instance_uuid, include_deleted=True)
    except exception.InstanceNotFound:
        return True
    found = volumes.snapshots_made_for(None, image.image_id) if server.is_volume_backed else []
    for snapshot in found:
        if snapshot.status != "creating":
            volumes.delete_snapshot(None, snapshot.id)
    return all(snapshot.status != "creating" for snapshot in found)


def _holds_a_server(image: ProvisionalImage) -> bool:
    """Whether a shelved server's disk is in it, however the operation ended."""
    try:
        server = instances.get(image.instance_uuid)
    except exception.InstanceNotFound:
        return False
    return server.system_metadata.get("shelved_image_id") == image.image_id
