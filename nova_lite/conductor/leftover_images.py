"""Removes the images that nothing came of: of operations that failed, were superseded or never accepted."""

from __future__ import annotations

import logging

from nova_lite import exception
from nova_lite.db.api import instances, provisional_images
from nova_lite.db.api.provisional_images import ProvisionalImage
from nova_lite.image.api import API as ImageAPI

LOG = logging.getLogger(__name__)


def remove(images: ImageAPI) -> None:
    """One round. While the image service is away everything waits; several conductors may do it at once."""
    for image in provisional_images.due():
        try:
            _one(images, image)
        except exception.Unavailable as error:
            LOG.warning("Image %s has to go, and the image service is away: %s", image.image_id, error.message)
            return
        except (exception.Forbidden, exception.Conflict) as error:
            # Protected, or in use by another service: whoever did that owns it now.
            LOG.error("Image %s stays, though nothing came of it: %s", image.image_id, error.message)
            provisional_images.keep(image.image_id)
        except exception.NovaLiteError as error:
            LOG.error("Image %s has to go and could not be removed: %s", image.image_id, error.message)


def _one(images: ImageAPI, image: ProvisionalImage) -> None:
    if not _holds_a_server(image) and images.delete(None, image.image_id):
        LOG.info("Removed image %s of server %s, which nothing came of", image.image_id, image.instance_uuid)
    provisional_images.keep(image.image_id)


def _holds_a_server(image: ProvisionalImage) -> bool:
    """Whether a shelved server's disk is in it, however the operation ended."""
    try:
        server = instances.get(image.instance_uuid)
    except exception.InstanceNotFound:
        return False
    return server.system_metadata.get("shelved_image_id") == image.image_id
