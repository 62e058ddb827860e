"""Moves of servers between hosts."""

from __future__ import annotations

from nova_lite.exception.kinds import Conflict, Invalid, NotFound


class MigrationNotFoundForInstance(NotFound):
    sentence = "Migration %(migration_id)s not found for instance %(instance_uuid)s"


class InvalidMigrationState(Invalid):
    sentence = (
        "Migration %(migration_id)s state of instance %(instance_uuid)s is %(state)s. "
        "Cannot %(method)s while the migration is in this state."
    )


class MigrationPreCheckError(Invalid):
    sentence = "Migration pre-check error: %(reason)s"


class UnableToMigrateToSelf(Invalid):
    sentence = "Unable to migrate instance (%(instance_uuid)s) to current host (%(host)s)."


class LiveMigrationAborted(Conflict):
    sentence = "Live migration of instance %(instance_uuid)s was aborted."


class GuestMayHaveMoved(Conflict):
    sentence = (
        "A live migration may have brought the guest of instance %(instance_uuid)s to host %(host)s, which is asked. "
        "Try again later."
    )


class LiveMigrationNotSettled(Conflict):
    sentence = (
        "What an earlier live migration of instance %(instance_uuid)s left is being put in order: where its guest is, "
        "and what is bound there. Try again later."
    )


class ServerIsShelved(Conflict):
    sentence = (
        "Instance %(instance_uuid)s is shelved: its disk is in image %(image_id)s, which an evacuation does not use. "
        "Reset its state to active, so that it is shelved again; then offload and unshelve it."
    )


class ComputeServiceInUse(Invalid):
    sentence = "Compute service of %(host)s is still in use."


class ComputeServiceUnavailable(Invalid):
    sentence = "Compute service of %(host)s is unavailable at this time."
