"""The image service's answers as errors of ours."""

from __future__ import annotations

from typing import Any

from nova_lite import exception


def raise_for(response: Any, image_id: str, acts_as_user: bool, wants_data: bool = True) -> None:
    """Nothing for a success, else the error that fits.

    :param acts_as_user: the caller's token was used, so that a 401 is the caller's affair and not our configuration's.
    :param wants_data: an empty success is a failure, too.
    :raises ImageNotFound: 404, also for images that the token may not see.
    :raises Unauthorized: 401 to the user's token.
    :raises Forbidden: 403.
    :raises Conflict: 409: the image is not in a state for that, or its id is taken.
    :raises ImageUnacceptable: the image service wants us to look elsewhere, or says that the image has no data.
    :raises Unavailable: everything that may pass by itself.
    """
    status = response.status_code
    if status < 300 and (status != 204 or not wants_data):
        return
    if status == 204:
        raise exception.ImageUnacceptable(image_id=image_id, reason="it has no data")
    if status < 400:
        raise exception.ImageUnacceptable(image_id=image_id, reason="the image service redirects to another place")
    if status == 401 and acts_as_user:
        raise exception.Unauthorized()
    if status == 403:
        raise exception.Forbidden(f"Not authorized for image {image_id}.")
    if status in (404, 410):
        raise exception.ImageNotFound(image_id=image_id)
    if status == 409:
        raise exception.Conflict(f"The image service refuses this for image {image_id} as it is now.")
    if 400 <= status < 500 and status not in (401, 408, 429):
        raise exception.Invalid(f"The image service refused the request for image {image_id} with status {status}.")
    raise exception.Unavailable(f"The image service answered {status}; try again later.")
