"""The volume service's answers as errors of ours."""

from __future__ import annotations

import json
from collections.abc import Callable

from nova_lite import exception

Missing = Callable[[], exception.NotFound]


def raise_for(status: int, text: str, missing: Missing, acts_as_user: bool) -> None:
    """Nothing for a success, else the error that fits.

    :param missing: makes the error of a thing that is not there, also of one that the token may not see.
    :param acts_as_user: the caller's token was used, so that a 401 is the caller's affair and not our configuration's.
    :raises Unauthorized: 401 to the user's token. :raises Forbidden: 403. :raises OverQuota: 413.
    :raises InvalidInput: the volume service refuses; its own words are in it.
    :raises Unavailable: everything that may pass by itself.
    """
    if status < 300:
        return
    message = said(text)
    if status == 401 and acts_as_user:
        raise exception.Unauthorized()
    if status == 403:
        raise exception.Forbidden(message or "The volume service forbids it.")
    if status in (404, 410):
        raise missing()
    if status == 413:
        raise exception.Forbidden(message or "The volume service's quota is exceeded.")
    if 400 <= status < 500 and status not in (401, 408, 429):
        raise exception.InvalidInput(reason=message or f"The volume service answered {status}")
    raise exception.Unavailable(f"The volume service answered {status}; try again later.")


def said(text: str) -> str:
    """The sentence in an error's body; empty where there is none."""
    try:
        body = json.loads(text)
        (inner,) = body.values()
        return str(inner["message"])[:1000]
    except (ValueError, TypeError, KeyError, AttributeError):
        return ""
