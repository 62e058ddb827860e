"""The dispatcher: one WSGI application for every call of the table.

The order of its checks is the contract's (states.md, section 2): route (404), version (400, 406), the body (415, 400),
the object (404), the policy (403); lock and state follow in the compute API. The token (401) was checked before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from nova_lite import exception
from nova_lite.api.openstack import body, faults, microversions, validation
from nova_lite.api.openstack.microversions import Microversion
from nova_lite.api.openstack.request import Request, Response
from nova_lite.api.openstack.router import Router
from nova_lite.api.openstack.routes import Route

StartResponse = Callable[..., Any]
Subject = Callable[[Request, str], Any]

_VARY = "OpenStack-API-Version, X-OpenStack-Nova-API-Version"


@lru_cache(maxsize=256)
def version_headers(version: Microversion) -> tuple[tuple[str, str], ...]:
    """The version an answer was made at, in both headers."""
    return (
        ("OpenStack-API-Version", f"compute {version}"),
        ("X-OpenStack-Nova-API-Version", str(version)),
        ("Vary", _VARY),
    )


class Dispatcher:
    """Serves the calls of ``table`` with ``controllers`` (by name); ``subjects`` find what an id in a path means.

    ``legacy`` is the /v2 endpoint: 2.1 always, no version headers, unknown keys of bodies dropped.
    """

    def __init__(
        self,
        table: Iterable[Route],
        controllers: Mapping[str, Any],
        subjects: Mapping[str, Subject],
        *,
        legacy: bool = False,
    ) -> None:
        table = tuple(table)
        self._router = Router(table)
        self._handlers = {route.handler: _handler(controllers, route.handler) for route in table}
        self._subjects = subjects
        self._legacy = legacy

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        status, headers, data = self._answer(environ)
        start_response(status, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [data]

    def _answer(self, environ: dict[str, Any]) -> faults.Answer:
        path = environ.get("PATH_INFO", "")
        if not path.isascii():
            # WSGI hands bytes over as Latin-1 characters; what the client meant was UTF-8.
            path = path.encode("latin-1", "replace").decode("utf-8", "replace")
        found = self._router.match(environ["REQUEST_METHOD"], path)
        if found is None:
            return faults.no_such_path()
        rows, params = found
        ctxt = environ["nova_lite.context"]
        project = params.pop("project_id", None)
        if project is not None and project != ctxt.project_id and not _looks_like_project(project):
            return faults.no_such_path()
        extra: Iterable[tuple[str, str]] = ()
        try:
            version = microversions.MIN if self._legacy else _asked(environ)
            if not self._legacy:
                extra = version_headers(version)
            microversions.check(version)
            req = Request(environ, ctxt, version, legacy=self._legacy)
            req.path_project = project
            status, headers, data = self._serve(req, rows, params)
        except Exception as error:  # noqa: BLE001 - every error has an answer; faults.of logs the unexpected
            status, headers, data = faults.of(error)
        headers.extend(extra)
        return status, headers, data

    def _serve(self, req: Request, rows: list[Route], params: dict[str, str]) -> faults.Answer:
        if rows[0].action is None:
            route = _at_version(rows, req.version)
            _check_project(req)
            self._read_body(req, route)
        else:
            self._read_body(req, rows[0])
            route = _at_version(_of_action(rows, req.body), req.version)
            _check_project(req)
        handler = self._handlers[route.handler]
        _check_shape(req, route, handler)
        args = self._subject(req, route, params)
        return _render(req, route, handler(req, *args, **params))

    def _read_body(self, req: Request, route: Route) -> None:
        """Parse the body where the call takes one, or whatever came with a method that usually has one."""
        handler = self._handlers[route.handler]
        if route.action is None and not hasattr(handler, "body_checked"):
            return
        body.check_type(req.environ)
        data = body.read(req.environ)
        req.body = body.loads(data) if data else None

    def _subject(self, req: Request, route: Route, params: dict[str, str]) -> list[Any]:
        """The object of the path, after its policy let the caller at it."""
        req.rule = route.policy
        if route.subject is None:
            if route.policy is not None:
                req.authorize(route.policy)
            return []
        identifier = params.pop("server_id", None) or params.pop("id")
        found = self._subjects[route.subject](req, identifier)
        if route.policy is not None:
            req.authorize(route.policy, {"project_id": found.project_id, "user_id": found.user_id})
        return [found]


def _handler(controllers: Mapping[str, Any], name: str) -> Callable[..., Any]:
    controller, _, method = name.partition(":")
    handler: Callable[..., Any] = getattr(controllers[controller], method)
    return handler


def _looks_like_project(text: str) -> bool:
    """Nova matches project ids as hex digits and hyphens only; any other first segment is an unknown path."""
    return all(char in "0123456789abcdef-" for char in text)


def _asked(environ: dict[str, Any]) -> Microversion:
    text = microversions.asked(environ)
    return microversions.MIN if text is None else microversions.parse(text)


def _check_project(req: Request) -> None:
    project = req.path_project
    if project is not None and project != req.ctxt.project_id:
        raise exception.Invalid(
            f"Malformed request URL: URL's project_id '{project}' doesn't match Context's project_id "
            f"'{req.ctxt.project_id}'"
        )


def _at_version(rows: list[Route], version: Microversion) -> Route:
    """
    :raises NotFound: the call is not there at this version
    """
    for route in rows:
        if route.valid_at(version):
            return route
    raise exception.NotFound


def _of_action(rows: list[Route], value: Any) -> list[Route]:
    """The rows of the body's one key.

    :raises MalformedBody: no key, several, or no object.
    :raises NoSuchAction: a key of no row.
    """
    if not isinstance(value, dict) or len(value) != 1:
        raise exception.MalformedBody
    (key,) = value
    found = [route for route in rows if route.action == key]
    if not found:
        raise exception.NoSuchAction(action=key)
    return found


def _check_shape(req: Request, route: Route, handler: Callable[..., Any]) -> None:
    """Body and query against the schemas of the version."""
    checked = getattr(handler, "body_checked", None)
    if checked is not None:
        checker = checked.legacy if req.legacy else checked.at(req.version)
        if req.legacy:
            req.body = validation.prune(checker.schema, req.body)
        checker.check(req.body)
    text = req.environ.get("QUERY_STRING")
    checked = validation.query_checked(route.method, handler) if text else None
    if text and checked is not None:
        req.query = validation.check_query(checked.at(req.version), parse_query(text))


def parse_query(text: str) -> dict[str, list[str]]:
    """The query's keys and values in order.

    :raises Invalid: it is not UTF-8, or has the character NUL, which no database keeps.
    """
    query: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=1000)
    except ValueError:
        raise exception.Invalid("Query string is not UTF-8 encoded") from None
    for key, value in pairs:
        if "\0" in value:
            raise exception.Invalid(f"Invalid input for query parameters {key}.")
        query.setdefault(key, []).append(value)
    return query


def _render(req: Request, route: Route, result: Any) -> faults.Answer:
    """A controller's answer as status, headers and bytes."""
    status = route.status if isinstance(route.status, int) else route.status.at(req.version)
    headers: faults.Headers = []
    if isinstance(result, Response):
        status, headers, result = result.status or status, list(result.headers), result.body
    data = b"" if result is None else faults.dumps(result)
    headers += [("Content-Type", faults.JSON), ("Content-Length", str(len(data)))]
    assert status is not None
    return faults.status_line(status), headers, data
