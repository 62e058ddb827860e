"""api_fields.json as a judge: no field before its time, none after it, none missing.

A field's rule reads ``"2.55.. required"``: valid from 2.55 on and required there. ``required`` may have ranges of its
own: ``"2.3.. required 2.90.."``. No ranges means every microversion.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tests.harness.contract import material
from tests.harness.contract.material import Version

FOREVER: Version = (999, 0)

# Keys of a server that only administrators see, and from when; the hostname is for everybody from 2.90.
ADMIN_KEYS: dict[str, Version] = {
    "OS-EXT-SRV-ATTR:host": (2, 1), "OS-EXT-SRV-ATTR:hypervisor_hostname": (2, 1),
    "OS-EXT-SRV-ATTR:instance_name": (2, 1), "OS-EXT-SRV-ATTR:hostname": (2, 3),
    "OS-EXT-SRV-ATTR:kernel_id": (2, 3), "OS-EXT-SRV-ATTR:launch_index": (2, 3),
    "OS-EXT-SRV-ATTR:ramdisk_id": (2, 3), "OS-EXT-SRV-ATTR:reservation_id": (2, 3),
    "OS-EXT-SRV-ATTR:root_device_name": (2, 3), "OS-EXT-SRV-ATTR:user_data": (2, 3), "host_status": (2, 16),
}  # fmt: skip
HOSTNAME = "OS-EXT-SRV-ATTR:hostname"
HOSTNAME_FOR_ALL: Version = (2, 90)


def admin_keys(version: Version) -> list[str]:
    """What at this version an administrator sees of a server and nobody else."""
    return [
        key for key, since in ADMIN_KEYS.items()
        if version >= since and not (key == HOSTNAME and version >= HOSTNAME_FOR_ALL)
    ]  # fmt: skip
ALWAYS: tuple[tuple[Version, Version], ...] = (((2, 1), FOREVER),)

# Where the README's corrections and limits win over api_fields.json: (operation, field).
NOT_REQUIRED = {
    ("GET /servers", "servers[].status"): "no status in the short list at any version (README, limits)",
    ("POST /servers", "reservation_id"): "instead of server, with return_reservation_id (api.yaml, note)",
    ("POST /servers", "server"): "absent with return_reservation_id (api.yaml, note)",
    ("PUT /os-services/{id}", "service.forced_down"): "in force-down's answer only, to 2.52 (samples)",
    ("PUT /os-services/{id}", "service.status"): "not in force-down's answer, to 2.52 (samples)",
}
# Up to this version the names are those of the driver's devices.
DRIVERS_OWN: dict[str, Version] = {"GET /servers/{server_id}/diagnostics": (2, 47)}
FORBIDDEN = {("GET /servers", "servers[].status")}


@dataclass(frozen=True)
class Rule:
    """When a field may be there, and when it must."""

    valid: tuple[tuple[Version, Version], ...]
    required: tuple[tuple[Version, Version], ...]

    def is_valid(self, version: Version) -> bool:
        return _within(self.valid, version)

    def is_required(self, version: Version) -> bool:
        return self.is_valid(version) and _within(self.required, version)


def _within(ranges: tuple[tuple[Version, Version], ...], version: Version) -> bool:
    return any(low <= version <= high for low, high in ranges)


def _ranges(text: str) -> tuple[tuple[Version, Version], ...]:
    found = []
    for part in filter(None, text.split(",")):
        low, high = part.split("..")
        found.append((material.parse_version(low), material.parse_version(high) if high else FOREVER))
    return tuple(found)


def parse_rule(text: str) -> Rule:
    before, mark, after = text.partition("required")
    valid = _ranges(before.strip()) or ALWAYS
    required = (_ranges(after.strip()) or ALWAYS) if mark else ()
    return Rule(valid, required)


@dataclass
class Node:
    """One level of the field tree. ``patterns`` are keys such as ``{^.+$}``; ``items`` is the element of a list."""

    path: str
    rule: Rule | None = None
    keys: dict[str, Node] | None = None
    patterns: list[tuple[re.Pattern[str], Node]] | None = None
    items: Node | None = None

    def child(self, name: str) -> Node:
        self.keys = self.keys or {}
        return self.keys.setdefault(name, Node(f"{self.path}.{name}".lstrip(".")))

    def pattern(self, expression: str) -> Node:
        self.patterns = self.patterns or []
        for compiled, node in self.patterns:
            if compiled.pattern == expression:
                return node
        node = Node(f"{self.path}.{{{expression}}}".lstrip("."))
        self.patterns.append((re.compile(expression), node))
        return node

    def find(self, name: str) -> Node | None:
        """The level below that a key of this name stands for."""
        if self.keys and name in self.keys:
            return self.keys[name]
        return next((child for pattern, child in self.patterns or [] if pattern.search(name)), None)

    def element(self) -> Node:
        self.items = self.items or Node(f"{self.path}[]")
        return self.items


# A pattern stands in braces and may itself contain braces, dots and brackets: {^[a-z]{1,255}$}.
_STEP = re.compile(r"\{(?P<pattern>\^(?:[^{}]|\{[^}]*\})*)\}|(?P<list>\[\])|(?P<name>[^.\[\]{}]+)|\.")


def steps(path: str) -> list[tuple[str, str]]:
    """``a.{^.+$}[].b`` as [("name", "a"), ("pattern", "^.+$"), ("list", ""), ("name", "b")]."""
    found, position = [], 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None or match.end() == position:
            raise ValueError(f"cannot read field path {path!r} at {position}")
        kind = match.lastgroup
        if kind is not None:
            found.append((kind, match[kind] if kind != "list" else ""))
        position = match.end()
    return found


def tree(rules: dict[str, str]) -> Node:
    """The fields of one operation as a tree."""
    root = Node("")
    for path, text in rules.items():
        node = root
        for kind, value in steps(path):
            node = {"name": node.child, "pattern": node.pattern}[kind](value) if kind != "list" else node.element()
        node.rule = parse_rule(text)
    return root


def check(operation: str, version: Version, body: Any, role: str | None = None) -> list[str]:
    """What is wrong with the fields of a response; an empty list when nothing is.

    :param role: admin or member, where what only administrators see is to be judged too (states.md, section 7).
    :raises KeyError: the contract lists no fields for this operation.
    """
    rules = material.fields()[operation].get("response", {})
    problems: list[str] = []
    if version <= DRIVERS_OWN.get(operation, (0, 0)):
        return problems
    _walk(operation, version, tree(rules), body, problems)
    if role is not None and "OS-EXT-SRV-ATTR:host" in " ".join(rules):
        problems += visibility(version, body, role)
    return problems


def visibility(version: Version, body: dict[str, Any], role: str) -> list[str]:
    """Servers that hide from an administrator what he may see, or show others what they may not."""
    problems = []
    for server in body.get("servers") or [body["server"]]:
        for key in admin_keys(version):
            if (key in server) != (role == "admin"):
                problems.append(f"{key} is {'shown to' if key in server else 'hidden from'} the role {role}")
    return problems


def _walk(operation: str, version: Version, node: Node, value: Any, problems: list[str]) -> None:
    if isinstance(value, list):
        for each in value if node.items else ():
            _walk(operation, version, node.items, each, problems)  # type: ignore[arg-type]
    elif isinstance(value, dict) and (node.keys or node.patterns):
        _walk_keys(operation, version, node, value, problems)


def _walk_keys(operation: str, version: Version, node: Node, value: dict[str, Any], problems: list[str]) -> None:
    for name, child in (node.keys or {}).items():
        rule = child.rule
        waived = (operation, child.path) in NOT_REQUIRED
        if rule and rule.is_required(version) and name not in value and not waived:
            problems.append(f"{child.path} is missing")
    for name, each in value.items():
        found = node.find(name)
        if found is None:
            problems.append(f"{node.path}.{name} is unknown".lstrip("."))
        elif (found.rule and not found.rule.is_valid(version)) or (operation, found.path) in FORBIDDEN:
            problems.append(f"{found.path} is not valid at {version[0]}.{version[1]}")
        else:
            _walk(operation, version, found, each, problems)
