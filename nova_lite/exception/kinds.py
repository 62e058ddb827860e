"""The kinds of errors: what each means to a client of HTTP, and how its facts stay with it."""

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
    """``retry_after_s`` is what the answer's Retry-After says; None: nobody knows when it may go well."""

    retry_after_s: ClassVar[int | None] = None
    status = 503
    key = "serviceUnavailable"
    sentence = "The service is temporarily unavailable."
