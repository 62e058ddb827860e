"""Migration: one move of a server to another host or flavor."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nova_lite.objects.base import TravellingObject
from nova_lite.objects.flavor import Flavor


class MigrationType(enum.StrEnum):
    """As the API names them."""

    RESIZE = "resize"
    MIGRATION = "migration"
    LIVE = "live-migration"
    EVACUATION = "evacuation"


# The guest is off on its way, and its disks are set aside at the source.
COLD = (MigrationType.RESIZE, MigrationType.MIGRATION)


class MigrationStatus(enum.StrEnum):
    """As the API names them; the last five are ends, and ``finished`` waits for a confirmation or a revert."""

    ACCEPTED = "accepted"
    QUEUED = "queued"
    PREPARING = "preparing"
    PRE_MIGRATING = "pre-migrating"
    MIGRATING = "migrating"
    POST_MIGRATING = "post-migrating"
    RUNNING = "running"
    FINISHED = "finished"
    CONFIRMING = "confirming"
    REVERTING = "reverting"
    CONFIRMED = "confirmed"
    REVERTED = "reverted"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    DONE = "done"
    FAILED = "failed"
    ERROR = "error"


ENDED = (
    MigrationStatus.CONFIRMED,
    MigrationStatus.REVERTED,
    MigrationStatus.COMPLETED,
    MigrationStatus.CANCELLED,
    MigrationStatus.DONE,
    MigrationStatus.FAILED,
    MigrationStatus.ERROR,
)

# What a server's own list shows of its live migrations.
IN_PROGRESS = (
    MigrationStatus.QUEUED,
    MigrationStatus.PREPARING,
    MigrationStatus.RUNNING,
    MigrationStatus.POST_MIGRATING,
)


class MigrationWish(enum.StrEnum):
    """What a user may ask of a live migration under way."""

    ABORT = "abort"
    FORCE_COMPLETE = "force_complete"


def side(host: str | None, node: str | None, availability_zone: str | None, flavor: Flavor) -> dict[str, Any]:
    """One side of a cold move as an operation's argument, in JSON's types."""
    return {"host": host, "node": node, "availability_zone": availability_zone, "flavor": flavor.to_primitive()}


def place(side: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a server that is on that side: see :func:`side`."""
    return {**side, "flavor": Flavor.from_primitive(side["flavor"])}


@dataclass(frozen=True)
class Migration(TravellingObject):
    """One move. While it is open, its ``uuid`` holds the claim on the side the server does not use.

    ``old_vm_state`` is where the server rested before, ``held_*`` what it counts for in the quota meanwhile: of both
    flavors the larger (vCPUs, MiB). ``progress`` is what a live migration reports, in bytes; ``wish`` is what a user
    asks of it meanwhile.
    """

    uuid: str
    instance_uuid: str
    migration_type: str
    status: str
    id: int | None = None
    operation_id: int | None = None
    user_id: str | None = None
    project_id: str | None = None
    source_compute: str | None = None
    source_node: str | None = None
    dest_compute: str | None = None
    dest_node: str | None = None
    dest_host: str | None = None
    old_flavor: Flavor | None = None
    new_flavor: Flavor | None = None
    held_vcpus: int = 0
    held_memory_mb: int = 0
    old_vm_state: str | None = None
    progress: dict[str, int] = field(default_factory=dict)
    wish: str | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @property
    def is_cold(self) -> bool:
        return self.migration_type in COLD

    @property
    def is_open(self) -> bool:
        return self.status not in ENDED
