"""What is wrong with a request before its nouns are looked at."""

from __future__ import annotations

from nova_lite.exception.kinds import Forbidden, Invalid, NotAcceptable, Unavailable


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


class AcceptedTooLate(Unavailable):
    """What was made for a request before it could be accepted may be on its way out already."""

    sentence = "The request took too long. Nothing came of it; please repeat it."
