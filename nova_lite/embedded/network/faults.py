"""What the network service refuses, under the names that Neutron's clients know."""

from __future__ import annotations

import http
from typing import Any

from nova_lite import exception


class NetworkFault(exception.NovaLiteError):
    """A refusal; ``facts["type"]`` is Neutron's name of it."""


class Refused(NetworkFault):
    status = 400


class Denied(NetworkFault):
    status = 403


class Missing(NetworkFault):
    status = 404


class Clash(NetworkFault):
    status = 409


class Stale(NetworkFault):
    status = 412


_MISSING = {
    "network": ("NetworkNotFound", "Network %s could not be found."),
    "subnet": ("SubnetNotFound", "Subnet %s could not be found."),
    "port": ("PortNotFound", "Port %s could not be found."),
    "router": ("RouterNotFound", "Router %s could not be found"),
    "floatingip": ("FloatingIPNotFound", "Floating IP %s could not be found"),
    "security_group": ("SecurityGroupNotFound", "Security group %s does not exist"),
    "security_group_rule": ("SecurityGroupRuleNotFound", "Security group rule %s does not exist"),
}


def missing(kind: str, ident: str) -> Missing:
    """There is no such thing, or not for this caller."""
    name, sentence = _MISSING[kind]
    return Missing(sentence % f"{ident:.64}", type=name)


def invalid(message: str, name: str = "InvalidInput") -> Refused:
    return Refused(f"Invalid input for operation: {message}." if name == "InvalidInput" else message, type=name)


def denied(rule: str) -> Denied:
    return Denied(f"(rule:{rule}) is disallowed by policy", type="PolicyNotAuthorized")


def clash(name: str, message: str) -> Clash:
    return Clash(message, type=name)


def stale(expected: str, current: int) -> Stale:
    """It is of another revision than the client wants."""
    sentence = f"Constrained to {expected}, but current revision is {current}"
    return Stale(sentence, type="RevisionNumberConstraintFailed")


def over_quota(kind: str) -> Clash:
    """The project has as many as it may."""
    return clash("OverQuota", f"Quota exceeded for resources: ['{kind}'].")


def body(error: exception.NovaLiteError) -> dict[str, Any]:
    """An error as Neutron words it; what has no name of Neutron's is called by its status."""
    name = error.facts.get("type") or "HTTP" + http.HTTPStatus(error.status).phrase.title().replace(" ", "")
    return {"NeutronError": {"type": name, "message": error.message, "detail": ""}}
