"""Quota: how much a project or user may have. The counting is :mod:`nova_lite.db.api.quotas`.

Limits come from the project's own rows, else the default class's, else [quota]; a user may have his own besides, within
a project. ``reserve`` and ``release`` are called inside the caller's ``writer()``, so that what is counted and what
exists become true together.
"""

from __future__ import annotations

from collections.abc import Mapping

from oslo_config import cfg

from nova_lite.compute.task_states import TaskState
from nova_lite.compute.vm_states import VmState
from nova_lite.conf import CONF
from nova_lite.conf import quota as options
from nova_lite.db.api import quotas, user_quotas
from nova_lite.db.session import writer
from nova_lite.objects import Instance

RESOURCES = tuple(option.name for option in options.OPTIONS)
audit = quotas.audit
repair = quotas.repair


def limits(project_id: str, conf: cfg.ConfigOpts = CONF, user_id: str | None = None) -> dict[str, int]:
    """Every resource's limit for a project, or for a user in it; -1 is unlimited."""
    found = configured(conf) | quotas.overrides(project_id)
    return found if user_id is None else found | user_quotas.limits(project_id, user_id)


def configured(conf: cfg.ConfigOpts = CONF) -> dict[str, int]:
    """Every resource's limit as [quota] has it."""
    group = conf[options.GROUP]
    return {name: getattr(group, name) for name in RESOURCES}


def usage(project_id: str, user_id: str | None = None) -> dict[str, int]:
    """What a project, or a user in it, uses of the resources counted so; 0 where it never used one."""
    if user_id is not None:
        return user_quotas.usage(project_id, user_id)
    return {"instances": 0, "cores": 0, "ram": 0} | quotas.usage(quotas.PROJECT, project_id)


def room(
    project_id: str,
    each: Mapping[str, int],
    fewest: int,
    most: int,
    conf: cfg.ConfigOpts = CONF,
    user_id: str | None = None,
) -> int:
    """How many of ``most`` a project, or a user in it, may have just now, where one counts for ``each``.

    ``reserve`` has the last word.

    :raises OverQuota: fewer than ``fewest``.
    """
    found = most
    for who in (None,) if user_id is None else (None, user_id):
        limited = limits(project_id, conf) if who is None else user_quotas.limits(project_id, who)
        if not limited:
            continue
        used = usage(project_id, who)
        for name, delta in each.items():
            limit = limited.get(name, -1)
            if limit >= 0 and delta > 0:
                found = min(found, (limit - used.get(name, 0)) // delta)
        if found < fewest:
            quotas.check({name: delta * most for name, delta in each.items() if delta > 0}, used, limited)
    return found


def reserve(
    project_id: str, deltas: Mapping[str, int], conf: cfg.ConfigOpts = CONF, user_id: str | None = None
) -> None:
    """Count more for a project, all or none; with ``user_id`` the user's own limits hold, too.

    :raises OverQuota: with Nova's sentence; nothing was counted.
    """
    with writer():
        quotas.reserve(quotas.PROJECT, project_id, deltas, limits(project_id, conf))
        if user_id is not None:
            user_quotas.check(project_id, user_id, deltas)


def count_again(project_id: str, deltas: Mapping[str, int]) -> None:
    """Count more for a project, whatever its limits are: an administrator says that it exists."""
    quotas.reserve(quotas.PROJECT, project_id, deltas, {})


def counts(instance: Instance) -> bool:
    """Whether a server counts: one that is soft-deleted does not, until its restoring begins (as in Nova)."""
    return instance.vm_state != VmState.SOFT_DELETED or instance.task_state == TaskState.RESTORING


def release(project_id: str, deltas: Mapping[str, int]) -> None:
    """Count less for a project."""
    quotas.release(quotas.PROJECT, project_id, deltas)
