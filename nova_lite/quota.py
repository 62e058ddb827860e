"""Quota: how much a project or user may have. The counting is :mod:`nova_lite.db.api.quotas`.

Limits come from the project's own rows, else the default class's, else [quota]. ``reserve`` and ``release`` are called
inside the caller's ``writer()``, so that what is counted and what exists become true together.
"""

from __future__ import annotations

from collections.abc import Mapping

from oslo_config import cfg

from nova_lite.conf import CONF
from nova_lite.conf import quota as options
from nova_lite.db.api import quotas

RESOURCES = tuple(option.name for option in options.OPTIONS)
audit = quotas.audit
repair = quotas.repair


def limits(project_id: str, conf: cfg.ConfigOpts = CONF) -> dict[str, int]:
    """Every resource's limit for a project; -1 is unlimited."""
    group = conf[options.GROUP]
    return {name: getattr(group, name) for name in RESOURCES} | quotas.overrides(project_id)


def usage(project_id: str) -> dict[str, int]:
    """What a project uses of the resources counted by project; 0 where it never used one."""
    return {"instances": 0, "cores": 0, "ram": 0} | quotas.usage(quotas.PROJECT, project_id)


def room(project_id: str, each: Mapping[str, int], fewest: int, most: int, conf: cfg.ConfigOpts = CONF) -> int:
    """How many of ``most`` a project may have just now, where one counts for ``each``; ``reserve`` has the last word.

    :raises OverQuota: fewer than ``fewest``.
    """
    limited, used = limits(project_id, conf), usage(project_id)
    found = most
    for name, delta in each.items():
        limit = limited.get(name, -1)
        if limit >= 0 and delta > 0:
            found = min(found, (limit - used.get(name, 0)) // delta)
    if found < fewest:
        quotas.check({name: delta * most for name, delta in each.items() if delta > 0}, used, limited)
    return found


def reserve(project_id: str, deltas: Mapping[str, int], conf: cfg.ConfigOpts = CONF) -> None:
    """Count more for a project, all or none. :raises OverQuota: with Nova's sentence; nothing was counted."""
    quotas.reserve(quotas.PROJECT, project_id, deltas, limits(project_id, conf))


def release(project_id: str, deltas: Mapping[str, int]) -> None:
    """Count less for a project."""
    quotas.release(quotas.PROJECT, project_id, deltas)
