"""One attachment more of a volume for the server that has it already."""

from __future__ import annotations

from collections.abc import Callable

from nova_lite import exception
from nova_lite.context import RequestContext
from nova_lite.volume.api import API


def anew(
    volumes: API, ctxt: RequestContext | None, volume_id: str, instance_uuid: str, prove: Callable[[], object]
) -> str:
    """The id of a new attachment, on no host; the caller gives up the former ones once the server's row names this.

    Cinder reserves nothing that is just being connected to a host, be that for the same server: what was left half
    done stands in the way of all others. It is called done, and never given up first: the volume would be anybody's
    meanwhile. ``prove`` raises before that where the turn is somebody else's, who may be just connecting it.

    :raises InvalidInput: the volume is somebody else's, or broken.
    :raises VolumeNotFound: it is gone. :raises Unavailable: the volume service is.
    """
    try:
        return volumes.attachment_create(ctxt, volume_id, instance_uuid)
    except exception.InvalidInput:
        held = [each for each in volumes.attachments_of(ctxt, instance_uuid) if each.volume_id == volume_id]
        half_done = sorted((each for each in held if not each.is_complete), key=lambda each: each.status != "attaching")
        if not half_done or volumes.get(ctxt, volume_id).status != "attaching":
            raise
    prove()
    volumes.attachment_complete(ctxt, half_done[0].id)
    return volumes.attachment_create(ctxt, volume_id, instance_uuid)
