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
Only errors that have a name here travel over RPC.
"""

from nova_lite.exception.hosts import (
    AggregateHostExists,
    AggregateHostNotFound,
    AggregateNameExists,
    AggregateNotFound,
    BrokerUnavailable,
    BuildFailed,
    CallTimeout,
    ComputeHostNotFound,
    ConfigInvalid,
    ConsoleTokenNotFound,
    ConsoleTypeInvalid,
    ConsoleTypeUnavailable,
    DatabaseBusy,
    DatabaseUnavailable,
    GuestNotFound,
    HostFenced,
    HostInUse,
    HostRefused,
    HostReplaced,
    HypervisorUnavailable,
    NoValidHost,
    ServerBusy,
    ServiceNotFound,
    ServiceStopping,
    StaleWrite,
)
from nova_lite.exception.images import (
    ImageNotFound,
    ImageUnacceptable,
    InstanceNotRescuable,
    UnshelveHostNotInAZ,
    UnshelveInstanceInvalidState,
    UnsupportedRescueImage,
)
from nova_lite.exception.kinds import (
    Conflict,
    Forbidden,
    Gone,
    InternalError,
    Invalid,
    NotAcceptable,
    NotFound,
    NotSupported,
    NovaLiteError,
    TooLarge,
    Unauthorized,
    Unavailable,
    UnsupportedMedia,
)
from nova_lite.exception.moves import (
    ComputeServiceInUse,
    ComputeServiceUnavailable,
    GuestMayHaveMoved,
    InvalidMigrationState,
    LiveMigrationAborted,
    LiveMigrationNotSettled,
    MigrationNotFoundForInstance,
    MigrationPreCheckError,
    ServerIsShelved,
    UnableToMigrateToSelf,
)
from nova_lite.exception.networks import (
    ExternalNetworkForbidden,
    FixedIpInUse,
    NetworkAmbiguous,
    NetworkNotFound,
    PortInUse,
    PortLimitExceeded,
    PortNotFound,
    SecurityGroupAmbiguous,
    SecurityGroupNotFound,
)
from nova_lite.exception.requests import (
    AcceptedTooLate,
    InvalidVersionFormat,
    MalformedBody,
    MarkerNotFound,
    NoSuchAction,
    OverQuota,
    PolicyNotAuthorized,
    ValidationError,
    VersionNotSupported,
)
from nova_lite.exception.servers import (
    FlavorExists,
    FlavorIdExists,
    FlavorNotFound,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    InstanceInAnotherZone,
    InstanceInvalidState,
    InstanceIsLocked,
    InstanceNotFound,
    InstanceNotLaunched,
    InstanceNotReady,
    InstanceTagNotFound,
    KeypairExists,
    KeypairNotFound,
    MetadataItemNotFound,
    ServerGroupNotFound,
)
from nova_lite.exception.versions import IncompatibleVersion, UnreadableMessage, UnreadableObject
from nova_lite.exception.volumes import (
    DevicePathInUse,
    InvalidBlockDevice,
    InvalidDevicePath,
    InvalidInput,
    InvalidVolume,
    MultiattachTooEarly,
    NoVolumeService,
    SnapshotNotFound,
    VolumeAttachmentNotFound,
    VolumeDeviceNotFound,
    VolumeNotAttached,
    VolumeNotCreated,
    VolumeNotFound,
    VolumeTypeNotFound,
)
