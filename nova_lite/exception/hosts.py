"""Hosts, services and what they stand on; consoles and guests."""

from __future__ import annotations

from nova_lite.exception.kinds import Conflict, Invalid, NotFound, NovaLiteError, Unavailable


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


class HostFenced(ServiceStopping):
    """A worker must not touch guests: what it does is somebody else's by now, or may be. It goes on, or it does not."""

    sentence = "Host %(host)s must not change anything: %(reason)s"


class HostReplaced(Conflict):
    sentence = "Another daemon serves host %(host)s since: its epoch is %(epoch)s"


class BrokerUnavailable(Unavailable):
    sentence = "The message broker cannot be reached: %(reason)s"


class CallTimeout(Unavailable):
    """A service did not answer in time; what it was asked for may still happen."""

    sentence = "No answer from %(topic)s to %(method)s within %(timeout_s)s s"


class DatabaseUnavailable(Unavailable):
    """Nothing was written, unless the connection broke while a commit was on its way."""

    sentence = "The database is not available."
    retry_after_s = 5


class DatabaseBusy(Unavailable):
    """The transaction lost against others (deadlock, lock, lost connection) and was undone; it may be tried again."""

    sentence = "The database is busy."
    retry_after_s = 1


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


class HostRefused(ConfigInvalid):
    """What a host keeps and what the database says do not belong together: it starts no service and touches nothing."""


class ServerBusy(Unavailable):
    sentence = "Something else is done to server %(instance_uuid)s for long."
