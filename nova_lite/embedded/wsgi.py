"""The WSGI application both stand-ins are made of: routes as a table, errors as the service's own JSON."""

from __future__ import annotations

import errno
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import routes
import webob
from oslo_log import log as logging

from nova_lite import exception

LOG = logging.getLogger(__name__)

Handler = Callable[..., webob.Response]
Faulty = Callable[[int, str], dict[str, Any]]


# What a write says that no retry of ours could mend: no room, a quota's end, a disk that failed and was made read-only.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class MethodNotAllowed(exception.NovaLiteError):
    """The path exists, the method does not; ``facts["allow"]`` lists those that do."""

    status = 405
    sentence = "The method is not allowed for the requested URL."


class TooManyRequests(exception.NovaLiteError):
    """Slow down; ``facts["retry_after_s"]`` says for how long."""

    status = 429
    sentence = "Too many failed attempts: try again in %(retry_after_s)s seconds."


@dataclass(frozen=True)
class Route:
    """``path`` as Routes writes it; its variables are keyword arguments of the handler."""

    method: str
    path: str
    handler: Handler


def json_response(value: Any, status: int = 200, **headers: str) -> webob.Response:
    """An answer in JSON; header names are written with underscores."""
    response = webob.Response(json=value, status=status)
    for name, text in headers.items():
        response.headers[name.replace("_", "-")] = text
    return response


def empty_response(status: int = 204) -> webob.Response:
    response = webob.Response(status=status)
    del response.content_type
    return response


class Application:
    """Dispatch by a table of routes.

    :param fault: makes an error's JSON from its status and message.
    :param challenge: WWW-Authenticate of a 401, from the request.
    """

    def __init__(
        self, table: Iterable[Route], fault: Faulty, challenge: Callable[[webob.Request], str] | None = None
    ) -> None:
        self._handlers: dict[str, dict[str, Handler]] = {}
        for route in table:
            self._handlers.setdefault(route.path, {})[route.method] = route.handler
        self._mapper = _mapper(self._handlers)
        self._fault = fault
        self._challenge = challenge

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        req = webob.Request(environ)
        request_id = f"req-{uuid.uuid4()}"
        try:
            response = self._dispatch(req)
        except exception.NovaLiteError as error:
            response = self._error(req, error, request_id)
        except Exception as error:
            LOG.exception("%s: %s %s failed", request_id, req.method, req.script_name)
            full = isinstance(error, OSError) and error.errno in _FULL
            known = exception.Unavailable("It could not be stored.") if full else exception.InternalError()
            response = self._error(req, known, request_id)
        response.headers["x-openstack-request-id"] = request_id
        response.headers["Vary"] = "X-Auth-Token"
        response.headers["X-Content-Type-Options"] = "nosniff"
        answer: Iterable[bytes] = response(environ, start_response)
        return answer

    def _dispatch(self, req: webob.Request) -> webob.Response:
        try:
            path = req.path_info.rstrip("/") or "/"
            req.GET.items()
        except UnicodeDecodeError:
            raise exception.Invalid("The URL is not valid UTF-8") from None
        match = self._mapper.match(path)
        if match is None:
            raise exception.NotFound()
        handlers = self._handlers[match.pop("controller")]
        match.pop("action", None)
        handler = handlers.get(req.method) or (handlers.get("GET") if req.method == "HEAD" else None)
        if handler is None:
            raise MethodNotAllowed(allow=", ".join(sorted(handlers)))
        return handler(req, **match)

    def _error(self, req: webob.Request, error: exception.NovaLiteError, request_id: str) -> webob.Response:
        if error.status >= 500 and not isinstance(error, (exception.NotSupported, exception.Unavailable)):
            LOG.error("%s: %s", request_id, error.message)
            error = exception.InternalError()
        response = json_response(self.body_of(error), error.status)
        if error.status == 401 and self._challenge is not None:
            response.headers["WWW-Authenticate"] = self._challenge(req)
        if isinstance(error, MethodNotAllowed):
            response.headers["Allow"] = error.facts["allow"]
        if isinstance(error, TooManyRequests):
            response.headers["Retry-After"] = str(error.facts["retry_after_s"])
        return response

    def body_of(self, error: exception.NovaLiteError) -> dict[str, Any]:
        """The JSON of an error."""
        return self._fault(error.status, error.message)


def _mapper(paths: Iterable[str]) -> routes.Mapper:
    mapper = routes.Mapper(register=False)
    mapper.minimization = False
    for path in paths:
        mapper.connect(None, path, controller=path, action="")
    mapper.create_regs([])
    return mapper
