"""Quota follows soft deletes: a server that is switched off to be reclaimed counts for nothing until it is restored."""

from __future__ import annotations

from typing import Any

from nova_lite import quota
from nova_lite.objects import Instance, Operation
from nova_lite.objects.flavor import quota_counts


def done(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    """``instance`` is as it was before: deleting a soft-deleted server once more gives nothing back."""
    if quota.counts(instance):
        _give_back(instance)
    return {}


def not_restored(operation: Operation, instance: Instance) -> dict[str, Any]:
    if quota.counts(instance):
        _give_back(instance)
    return {}


def _give_back(instance: Instance) -> None:
    quota.release(instance.project_id, quota_counts([instance.flavor]))
