"""The network service's answers as errors of ours."""

from __future__ import annotations

from typing import Any

from nova_lite import exception

# Neutron's names of what a request of ours may meet, beyond what a status says.
_EXHAUSTED = ("IpAddressGenerationFailure", "NoMoreFixedIps", "ExternalIpAddressExhausted")
_TAKEN = ("IpAddressAlreadyAllocated", "IpAddressInUse")


class Gone(exception.NotFound):
    """404: what was asked for is not there, or not for this token."""


class Changed(exception.Conflict):
    """412: it is not any more as it was seen."""


def of(response: Any, acts_as_user: bool) -> exception.NovaLiteError:
    """The error that fits an answer of 300 and above.

    :param acts_as_user: the caller's token was used, so that a 401 is the caller's affair and not our configuration's.
    """
    status, (kind, message) = response.status_code, _named(response)
    if status == 401 and acts_as_user:
        return exception.Unauthorized()
    if kind == "OverQuota":
        return exception.PortLimitExceeded()
    if kind in _EXHAUSTED:
        return exception.Invalid(message)
    if kind in _TAKEN:
        return exception.FixedIpInUse(message)
    if status == 403:
        return exception.Forbidden(message or "The network service forbids it.")
    if status == 404:
        return Gone(message)
    if status == 409:
        return exception.Conflict(message or "The network service refuses it now.")
    if status == 412:
        return Changed(message)
    if 400 <= status < 500 and status not in (401, 408, 429):
        return exception.Invalid(message or f"The network service refused the request with status {status}.")
    return exception.Unavailable(f"The network service answered {status}; try again later.")


def _named(response: Any) -> tuple[str, str]:
    """Neutron's name of an error and its sentence; empty where something else answered."""
    try:
        error = response.json()["NeutronError"]
        return (error["type"], error["message"]) if isinstance(error, dict) else ("", str(error))
    except (ValueError, KeyError, TypeError):
        return "", ""
