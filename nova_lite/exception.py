"""Every error of nova-lite, as one tree; the kind carries the HTTP meaning.

    NovaLiteError (InternalError)                 500 computeFault
    |-- Invalid                                   400 badRequest
    |-- Unauthorized                              401 unauthorized
    |-- Forbidden                                 403 forbidden
    |   |-- PolicyNotAuthorized
    |   `-- OverQuota
    |-- NotFound                                  404 itemNotFound
    |-- Conflict                                  409 conflictingRequest
    |   |-- InstanceInvalidState
    |   |-- InstanceIsLocked
    |   `-- InstanceNotReady
    |-- Gone                                      410 computeFault
    |-- NotAcceptable                             406 computeFault
    |-- TooLarge                                  413 overLimit
    |-- UnsupportedMedia                          415 badMediaType
    |-- NotSupported                              501 notImplemented
    `-- Unavailable                               503 serviceUnavailable

A concrete error is two lines: its kind and a sentence with named facts. The facts stay attached for logs and faults.
Only this module's errors travel over RPC.
"""

from __future__ import annotations

from typing import Any, ClassVar


class NovaLiteError(Exception):
    """A fault of our own; its text is for the log, never for the user."""

    status: ClassVar[int] = 500
    key: ClassVar[str] = "computeFault"
    sentence: ClassVar[str] = "An unknown exception occurred."

    def __init__(self, message: str | None = None, **facts: Any) -> None:
        self.facts = facts
        self.message = message if message is not None else self.sentence % facts
        super().__init__(self.message)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.message, self.facts))


def _rebuild(cls: type[NovaLiteError], message: str, facts: dict[str, Any]) -> NovaLiteError:
    return cls(message, **facts)


InternalError = NovaLiteError


# -- the kinds ------------------------------------------------------------------------------------


class Invalid(NovaLiteError):
    status = 400
    key = "badRequest"
    sentence = "The request is invalid."


class Unauthorized(NovaLiteError):
    status = 401
    key = "unauthorized"
    sentence = "The request you have made requires authentication."


class Forbidden(NovaLiteError):
    status = 403
    key = "forbidden"
    sentence = "Forbidden"


class NotFound(NovaLiteError):
    status = 404
    key = "itemNotFound"
    sentence = "The resource could not be found."


class NotAcceptable(NovaLiteError):
    status = 406
    sentence = "The request is not acceptable."


class Conflict(NovaLiteError):
    status = 409
    key = "conflictingRequest"
    sentence = "There was a conflict when trying to complete your request."


class Gone(NovaLiteError):
    status = 410
    sentence = "This resource is no longer available. No forwarding address is given."


class TooLarge(NovaLiteError):
    status = 413
    key = "overLimit"
    sentence = "Request is too large."


class UnsupportedMedia(NovaLiteError):
    status = 415
    key = "badMediaType"
    sentence = "Unsupported Content-Type"


class NotSupported(NovaLiteError):
    status = 501
    key = "notImplemented"
    sentence = "The requested functionality is not supported."


class Unavailable(NovaLiteError):
    status = 503
    key = "serviceUnavailable"
    sentence = "The service is temporarily unavailable."


# -- HTTP edge ------------------------------------------------------------------------------------


class MalformedBody(Invalid):
    sentence = "Malformed request body"


class ValidationError(Invalid):
    sentence = "%(detail)s"


class NoSuchAction(Invalid):
    sentence = "There is no such action: %(action)s"


class MarkerNotFound(Invalid):
    sentence = "marker [%(marker)s] not found"


class InvalidVersionFormat(Invalid):
    sentence = "API Version String %(version)s is of invalid format. Must be of format MajorNum.MinorNum."


class VersionNotSupported(NotAcceptable):
    sentence = "Version %(version)s is not supported by the API. Minimum is %(minimum)s and maximum is %(maximum)s."


class PolicyNotAuthorized(Forbidden):
    sentence = "Policy doesn't allow %(rule)s to be performed."


class OverQuota(Forbidden):
    sentence = (
        "Quota exceeded for %(overs)s: Requested %(requested)s, but already used %(used)s of %(limits)s %(overs)s"
    )


# -- servers --------------------------------------------------------------------------------------


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


class ImageNotFound(NotFound):
    sentence = "Image %(image_id)s could not be found."


class ImageUnacceptable(Invalid):
    """The image's bytes are not what they claim, or reach outside themselves (SECURITY S1-S9)."""

    sentence = "Image %(image_id)s is unacceptable: %(reason)s"


class UnsupportedRescueImage(Invalid):
    sentence = "Requested rescue image '%(image)s' is not supported"


class InstanceNotRescuable(Invalid):
    sentence = "Instance %(instance_uuid)s cannot be rescued: %(reason)s"


class UnshelveInstanceInvalidState(Conflict):
    sentence = (
        "Specifying an availability zone or a host when unshelving server '%(instance_uuid)s' with status "
        "'%(state)s' is not supported. The server status must be SHELVED_OFFLOADED."
    )


class UnshelveHostNotInAZ(Conflict):
    sentence = "Host '%(host)s' is not in the availability zone '%(availability_zone)s'."


class NetworkNotFound(NotFound):
    sentence = "Network %(network_id)s could not be found."


class NetworkAmbiguous(Conflict):
    sentence = "Multiple possible networks found, use a Network ID to be more specific."


class PortNotFound(NotFound):
    sentence = "Port id %(port_id)s could not be found."


class PortInUse(Conflict):
    sentence = "Port %(port_id)s is still in use."


class PortLimitExceeded(Forbidden):
    sentence = "Maximum number of ports exceeded"


class FixedIpInUse(Conflict):
    sentence = "Fixed IP address %(address)s is already in use."


class SecurityGroupNotFound(NotFound):
    sentence = "Security group %(security_group_id)s not found."


class SecurityGroupAmbiguous(Conflict):
    sentence = "Multiple security groups found matching '%(name)s'. Use an ID to be more specific."


class ExternalNetworkForbidden(Forbidden):
    sentence = "It is not allowed to create an interface on external network %(network_id)s"


# -- moves ----------------------------------------------------------------------------------------


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


class ComputeServiceInUse(Invalid):
    sentence = "Compute service of %(host)s is still in use."


class ComputeServiceUnavailable(Invalid):
    sentence = "Compute service of %(host)s is unavailable at this time."


# -- volumes and block devices --------------------------------------------------------------------


class NoVolumeService(Unavailable):
    sentence = "The catalogue has no volume service; see [cinder] endpoint_template."


class VolumeNotFound(NotFound):
    sentence = "Volume %(volume_id)s could not be found."


class VolumeTypeNotFound(NotFound):
    sentence = "Volume type %(name)s could not be found."


class SnapshotNotFound(NotFound):
    sentence = "Snapshot %(snapshot_id)s could not be found."


class VolumeAttachmentNotFound(NotFound):
    sentence = "Volume attachment %(attachment_id)s could not be found."


class VolumeNotAttached(NotFound):
    sentence = "Instance %(instance_uuid)s is not attached to volume %(volume_id)s"


class VolumeDeviceNotFound(NotFound):
    sentence = "No volume Block Device Mapping with id %(volume_id)s."


class InvalidInput(Invalid):
    sentence = "Invalid input received: %(reason)s"


class InvalidVolume(Invalid):
    sentence = "Invalid volume: %(reason)s"


class VolumeNotCreated(Invalid):
    """A build waited for its volume in vain."""

    sentence = (
        "Volume %(volume_id)s did not finish being created "
        "even after we waited %(seconds)s seconds. And its status is %(status)s."
    )


class InvalidDevicePath(Invalid):
    sentence = "The supplied device path (%(path)s) is invalid."


class DevicePathInUse(Conflict):
    sentence = "The supplied device path (%(path)s) is in use."


class MultiattachTooEarly(Invalid):
    sentence = "Multiattach volumes are only supported starting with compute API version 2.60."


class InvalidBlockDevice(Invalid):
    """A block device of a create body that cannot be; ``details`` in Nova's words."""

    sentence = "Block Device Mapping is Invalid: %(details)s"


# -- scheduling and hosts -------------------------------------------------------------------------


class NoValidHost(NotFound):
    """No host passed, or every claim lost its race; the operation keeps the verdict per host and filter."""

    sentence = "No valid host was found. %(reason)s"


class ComputeHostNotFound(NotFound):
    sentence = "Compute host %(host)s could not be found."


class AggregateNotFound(NotFound):
    sentence = "Aggregate %(aggregate_id)s could not be found."


class AggregateHostNotFound(NotFound):
    sentence = "Aggregate %(aggregate_id)s has no host %(host)s."


class AggregateNameExists(Conflict):
    sentence = "Aggregate %(aggregate_name)s already exists."


class AggregateHostExists(Conflict):
    sentence = "Aggregate %(aggregate_id)s already has host %(host)s."


class ServiceNotFound(NotFound):
    sentence = "Service %(service)s could not be found."


class HostInUse(Conflict):
    sentence = "Unable to delete compute service that %(what)s"


class StaleWrite(Conflict):
    """A compare-and-swap lost: somebody changed the row first, or this writer's lease or generation is old."""

    sentence = "%(what)s changed under this writer"


class BuildFailed(NovaLiteError):
    """A build step failed in a way that another host may not share."""

    sentence = "Build of instance %(instance_uuid)s aborted: %(reason)s"


class ServiceStopping(Unavailable):
    sentence = "This service is stopping"


class BrokerUnavailable(Unavailable):
    sentence = "The message broker cannot be reached: %(reason)s"


class CallTimeout(Unavailable):
    """A service did not answer in time; what it was asked for may still happen."""

    sentence = "No answer from %(topic)s to %(method)s within %(timeout_s)s s"


class DatabaseUnavailable(Unavailable):
    """Nothing was written, unless the connection broke while a commit was on its way."""

    sentence = "The database is not available."


class DatabaseBusy(Unavailable):
    """The transaction lost against others (deadlock, lock, lost connection) and was undone; it may be tried again."""

    sentence = "The database is busy."


class HypervisorUnavailable(Unavailable):
    sentence = "Connection to the hypervisor is broken on host %(host)s"


class ConsoleTypeInvalid(Invalid):
    sentence = "Invalid console type %(console_type)s"


class ConsoleTypeUnavailable(Invalid):
    sentence = "Unavailable console type %(console_type)s."


class ConsoleTokenNotFound(NotFound):
    sentence = "Token not found"


class GuestNotFound(NotFound):
    sentence = "Domain of instance %(instance_uuid)s could not be found on this host."


class ConfigInvalid(NovaLiteError):
    """The configuration cannot work; said at start, with the option's name and a remedy."""

    sentence = "%(detail)s"
