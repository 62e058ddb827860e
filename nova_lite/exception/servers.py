"""Servers, what they are made of, and what may be done to them."""

from __future__ import annotations

from nova_lite.exception.kinds import Conflict, NotFound


class InstanceNotFound(NotFound):
    sentence = "Instance %(instance_uuid)s could not be found."


class InstanceInvalidState(Conflict):
    """The server's vm_state, task_state or lack of a launch forbids the action (contract states.md, section 2)."""

    sentence = "Cannot '%(verb)s' instance %(instance_uuid)s while it is in %(attribute)s %(state)s"


class InstanceNotLaunched(Conflict):
    sentence = "Instance %(instance_uuid)s is in an invalid state for '%(verb)s'"


class InstanceIsLocked(Conflict):
    sentence = "Instance %(instance_uuid)s is locked"


class InstanceNotReady(Conflict):
    sentence = "Instance %(instance_uuid)s is not ready"


class IdempotencyKeyReused(Conflict):
    sentence = "The Idempotency-Key was used for another request"


class IdempotencyKeyInUse(Conflict):
    sentence = "A request with this Idempotency-Key was accepted meanwhile"


class InstanceInAnotherZone(Conflict):
    sentence = "Instance %(instance_uuid)s cannot be pinned to availability zone %(zone)s while it is in %(present)s"


class ServerGroupNotFound(NotFound):
    sentence = "Instance group %(group_uuid)s could not be found."


class FlavorNotFound(NotFound):
    sentence = "Flavor %(flavor_id)s could not be found."


class FlavorExists(Conflict):
    sentence = "Flavor with name %(name)s already exists."


class FlavorIdExists(Conflict):
    sentence = "Flavor with ID %(flavor_id)s already exists."


class KeypairNotFound(NotFound):
    sentence = "Keypair %(name)s not found for user %(user_id)s"


class KeypairExists(Conflict):
    sentence = "Key pair '%(name)s' already exists."


class MetadataItemNotFound(NotFound):
    sentence = "Metadata item was not found"


class InstanceTagNotFound(NotFound):
    sentence = "Server %(instance_uuid)s has no tag '%(tag)s'"
