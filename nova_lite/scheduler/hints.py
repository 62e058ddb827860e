"""Scheduler hints as the filters read them.

A hint that begins with an underscore is a word between our own services: one that came from a client is ignored
(SECURITY S20), so that no body can switch a filter or a claim off.
"""

from __future__ import annotations

from nova_lite.objects import RequestSpec

MAX_SERVERS = 200


def servers(spec: RequestSpec, hint: str) -> tuple[str, ...]:
    """The server uuids of a hint, which may be one string or a list of strings; anything else counts as none."""
    if hint.startswith("_"):
        return ()
    value = spec.scheduler_hints.get(hint)
    if isinstance(value, str):
        return (value,)
    if isinstance(value, (list, tuple)):
        return tuple(item for item in value[:MAX_SERVERS] if isinstance(item, str))
    return ()
