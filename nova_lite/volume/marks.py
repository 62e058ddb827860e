"""The mark of a volume that is on its way out ("detaching"), where nobody takes it out any more."""

from __future__ import annotations

import logging

from nova_lite import exception
from nova_lite.volume.api import API

LOG = logging.getLogger(__name__)


def take_off(volumes: API, volume_id: str) -> None:
    """The volume stays; one that is gone is no error. :raises Unavailable: the volume service is."""
    try:
        if volumes.get(None, volume_id).status == "detaching":
            LOG.warning("Volume %s is marked as on its way out, and nobody takes it: it stays", volume_id)
            volumes.roll_detaching(None, volume_id)
    except exception.VolumeNotFound:
        return
