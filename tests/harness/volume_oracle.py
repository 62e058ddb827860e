"""The oracle's eye on volumes: what the volume service has, asked past the faults that a test puts into its door."""

from __future__ import annotations

from nova_lite.audit.world import Hold
from tests.harness.volumes import Volumes


def holds(volumes: Volumes) -> tuple[Hold, ...]:
    """Every attachment."""
    return tuple(
        Hold(row["id"], row["volume_id"], row["instance"], row["status"] == "attached", row["status"])
        for row in volumes.rows("/attachments/detail", "attachments")
    )


def statuses(volumes: Volumes) -> dict[str, str]:
    """The status of each volume."""
    return {row["id"]: row["status"] for row in volumes.rows("/volumes/detail", "volumes")}
