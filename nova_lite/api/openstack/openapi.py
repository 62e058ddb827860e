"""The OpenAPI 3.1 document of one microversion, made of the tables the dispatcher works by.

Calls and success codes are the route table's, bodies and queries the controllers' schemas, sentences the policies'.
Errors follow from what a call is (``errors_of``). Bodies of answers are the views' and told by status only: no table
says what they hold, and a document must not promise what nothing checks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nova_lite.api.openstack import faults
from nova_lite.api.openstack.microversions import MIN, Microversion
from nova_lite.api.openstack.routes import Route
from nova_lite.api.openstack.validation import query_checked
from nova_lite.policies.base import Rule

Document = dict[str, Any]
Handlers = Mapping[str, Callable[..., Any]]

_DISCOVERY = "api_versions:"
_NOT_SHOWN = "retired:"

# -- which errors a call may have ---------------------------------------------------------------------

# Of every call: a header that names no version, no token, a version we have not, no database or neighbour.
_ALWAYS = frozenset({400, 401, 406, 503})
_WITH_BODY = frozenset({413, 415})
# The id in these paths names a project, a class or a time that need not exist ...
_NEVER_404 = ("/os-quota-sets/", "/os-quota-class-sets/", "/os-simple-tenant-usage/", "/os-instance_usage_audit_log/")
# ... and these calls look something up that their query or body names.
_ALSO_404 = frozenset({"hypervisors:index", "hypervisors:detail", "hypervisors:statistics"})
# Changes of a server that no state forbids.
_NEVER_409 = frozenset(
    {"server_actions:lock", "server_actions:unlock", "server_actions:reset_state", "server_password:clear"}
)
_ALSO_409 = frozenset(
    {
        "flavors:create", "flavor_access:add", "flavor_extra_specs:create", "flavor_extra_specs:update",
        "keypairs:create", "server_groups:create", "aggregates:create", "aggregates:update", "aggregates:add_host",
        "aggregates:remove_host", "services:delete", "diagnostics:index",
    }
)  # fmt: skip
# What not every hypervisor, network or volume service can do.
_ALSO_501 = frozenset(
    {
        "pause", "unpause", "rescue", "unrescue", "changePassword", "os-getConsoleOutput", "os-getVNCConsole",
        "remote_consoles:create", "hypervisors:uptime", "diagnostics:index",
        "attach_interfaces:index", "attach_interfaces:create", "attach_interfaces:delete",
    }
)  # fmt: skip

# A second way to succeed: the tag was there already, or some of the events concern nobody.
_ALSO_SUCCESS = {"tags:update": 201, "server_external_events:create": 207}


def errors_of(route: Route) -> frozenset[int]:
    """The status codes of the errors a call may answer with."""
    found = set(_ALWAYS)
    if route.handler.startswith(_DISCOVERY):
        return frozenset(found | ({404} if "{" in route.path else set()))
    found.add(403)
    if ("{" in route.path and not route.path.startswith(_NEVER_404)) or route.handler in _ALSO_404:
        found.add(404)
    changes = route.method != "GET"
    if (changes and route.path.startswith("/servers") and route.handler not in _NEVER_409) or (
        route.handler in _ALSO_409
    ):
        found.add(409)
    if route.method in ("POST", "PUT"):
        found |= _WITH_BODY
    if route.handler in _ALSO_501 or route.action in _ALSO_501:
        found.add(501)
    return frozenset(found)


# -- the document -------------------------------------------------------------------------------------


def document(version: Microversion, table: Iterable[Route], handlers: Handlers, rules: Mapping[str, Rule]) -> Document:
    """The calls that exist at ``version``; ``handlers`` by the name in the row, ``rules`` by their own."""
    paths: dict[str, dict[str, Any]] = {}
    for route in table:
        if not route.valid_at(version) or route.handler.startswith(_NOT_SHOWN) or not route.path:
            continue  # the empty path is "/" again
        item = paths.setdefault(route.path, {})
        made = _operation(route, version, handlers[route.handler], rules)
        known = item.get(route.method.lower())
        item[route.method.lower()] = made if known is None else _joined(known, made)
    for path, item in paths.items():
        if "{" in path:
            item["parameters"] = [_path_parameter(name) for name in re.findall(r"\{(\w+)\}", path)]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "nova-lite compute API",
            "version": str(version),
            "description": f"Microversion {version}. Every path also works below /{{project_id}}.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/v2.1"}],
        "security": [{"token": []}],
        "paths": dict(sorted(paths.items())),
        "components": _components(version),
    }


def _operation(
    route: Route, version: Microversion, handler: Callable[..., Any], rules: Mapping[str, Rule]
) -> dict[str, Any]:
    rule = rules.get(route.policy or "")
    made: dict[str, Any] = {
        "operationId": route.handler + (f":{route.action}" if route.action else ""),
        "tags": [_tag(route)],
        "parameters": [
            {"$ref": "#/components/parameters/version"},
            *_query(route, version, handler),
            *_headers(handler),
        ],
        "responses": _responses(route, version),
    }
    if rule is not None:
        made["summary"] = rule.description
        made["x-policy"] = rule.name
    body = _body(route, version, handler)
    if body is not None:
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return made


def _tag(route: Route) -> str:
    return next(filter(None, route.path.split("/")), "versions")


def _joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Two actions of one path as one operation, whose body is one of theirs."""
    content = one["requestBody"]["content"]["application/json"]
    known = content["schema"].get("oneOf", [content["schema"]])
    more = other["requestBody"]["content"]["application/json"]["schema"]
    joined = {**one, "operationId": one["operationId"].partition(":")[0] + ":any"}
    joined["summary"] = "One of the actions, named by the body's only key"
    joined.pop("x-policy", None)
    joined["x-policies"] = _policies(one) | _policies(other)
    joined["responses"] = dict(sorted({**one["responses"], **other["responses"]}.items()))
    joined["requestBody"] = {
        "required": True, "content": {"application/json": {"schema": {"oneOf": [*known, more]}}},
    }  # fmt: skip
    return joined


def _policies(operation: dict[str, Any]) -> dict[str, str]:
    """The rule of each action."""
    if "x-policies" in operation:
        return dict(operation["x-policies"])
    return {operation["operationId"].rpartition(":")[2]: operation.get("x-policy", "")}


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _query(route: Route, version: Microversion, handler: Callable[..., Any]) -> list[dict[str, Any]]:
    """The keys that the query's schema knows; each may be repeated."""
    checked = query_checked(route.method, handler)
    if checked is None:
        return []
    schema = checked.at(version).schema
    return [
        {"name": name, "in": "query", "schema": _shown(values), "style": "form", "explode": True}
        for name, values in schema["properties"].items()
    ]


def _headers(handler: Callable[..., Any]) -> list[dict[str, Any]]:
    """Those of the call's own; none is required."""
    own = getattr(handler, "own_headers", {})
    return [{"name": name, "in": "header", "schema": schema} for name, schema in own.items()]


def _body(route: Route, version: Microversion, handler: Callable[..., Any]) -> Any:
    checked = getattr(handler, "body_checked", None)
    if checked is not None:
        return _shown(checked.at(version).schema)
    if route.action is None:
        return None
    # An action that minds only its own name.
    return {"type": "object", "properties": {route.action: {}}, "required": [route.action],
            "additionalProperties": False}  # fmt: skip


def _shown(schema: Any) -> Any:
    """A schema as JSON has it: no tuples, and sets of allowed values without doubles (True is 1 for Python)."""
    if isinstance(schema, dict):
        return {key: _shown(value) for key, value in schema.items()}
    if isinstance(schema, (list, tuple)):
        return [_shown(each) for each in schema]
    return schema


def _responses(route: Route, version: Microversion) -> dict[str, Any]:
    status = route.status if isinstance(route.status, int) else route.status.at(version)
    codes = {status or 200, _ALSO_SUCCESS.get(route.handler, status or 200)}
    found: dict[str, Any] = {str(code): {"description": faults.REASONS[code]} for code in sorted(codes)}
    for code in sorted(errors_of(route)):
        found[str(code)] = {"$ref": f"#/components/responses/{code}"}
    return found


# -- what every operation shares ----------------------------------------------------------------------

# Status -> key of the error's object (contract states.md, section 3); the others are computeFault's.
_KEYS = {
    400: "badRequest", 403: "forbidden", 404: "itemNotFound", 409: "conflictingRequest", 415: "badMediaType",
    501: "notImplemented", 503: "serviceUnavailable",
}  # fmt: skip
_DOCUMENTED = (400, 401, 403, 404, 406, 409, 413, 415, 501, 503)


def _closed(properties: dict[str, Any], *optional: str) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _fault(code: int) -> dict[str, Any]:
    text: dict[str, Any] = {"type": "string"}
    inner = _closed({"code": {"const": code}, "message": text, "retryAfter": text}, "retryAfter")
    return _closed({_KEYS.get(code, "computeFault"): inner})


def _error_schema(code: int) -> dict[str, Any]:
    text: dict[str, Any] = {"type": "string"}
    if code == 401:  # said by the token's check, in the identity service's words
        return _closed({"error": _closed({"code": {"const": 401}, "title": text, "message": text})})
    # said by the size filter, before the API proper
    plain = _closed({"message": text, "code": text, "title": text})
    if code == 413:
        return plain
    # An id that is no segment of a path makes a path that there is not.
    return {"oneOf": [_fault(404), plain]} if code == 404 else _fault(code)


def _components(version: Microversion) -> dict[str, Any]:
    return {
        "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}},
        "parameters": {
            "version": {
                "name": "OpenStack-API-Version",
                "in": "header",
                "description": f"The microversion; without it {MIN}.",
                "required": version != MIN,
                "schema": {"const": f"compute {version}"},
            }
        },
        "responses": {
            str(code): {
                "description": faults.REASONS[code],
                "content": {"application/json": {"schema": _error_schema(code)}},
            }
            for code in _DOCUMENTED
        },
    }
