"""Policy checks as closures: what oslo.policy's check tree says, a hundred times faster. Pure.

A closure takes (credentials, target). Kinds of check that are not known here are not guessed: ``NotCompilable`` tells
the caller to ask the Enforcer. A property test holds both to the same answers.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from oslo_policy import _checks

Closure = Callable[[Mapping[str, Any], Mapping[str, Any]], bool]

# Key under which the caller puts the lower-cased roles, computed once a question.
ROLES = "roles lower-cased"


class NotCompilable(Exception):
    """A kind of check that only oslo.policy understands."""


def credentials(values: dict[str, Any]) -> dict[str, Any]:
    """The credentials as closures read them."""
    values[ROLES] = [role.lower() for role in values.get("roles") or ()]
    return values


def compile_check(check: Any, rules: Mapping[str, Any], path: tuple[str, ...] = ()) -> Closure:
    """A closure for a check tree.

    :param rules: the Enforcer's rules, for ``rule:`` references.
    :param path: names of the rules being compiled, to find cycles.
    :raises NotCompilable: see there.
    """
    kind = type(check)
    if kind is _checks.TrueCheck:
        return lambda creds, target: True
    if kind is _checks.FalseCheck:
        return lambda creds, target: False
    if kind is _checks.NotCheck:
        inner = compile_check(check.rule, rules, path)
        return lambda creds, target: not inner(creds, target)
    if kind is _checks.AndCheck:
        return _all_of([compile_check(part, rules, path) for part in check.rules])
    if kind is _checks.OrCheck:
        return _any_of([compile_check(part, rules, path) for part in check.rules])
    if kind is _checks.RuleCheck:
        return _reference(check.match, rules, path)
    if kind is _checks.RoleCheck:
        return _role(check.match)
    if kind is _checks.GenericCheck:
        return _generic(check.kind, check.match)
    raise NotCompilable(str(check))


def _all_of(parts: list[Closure]) -> Closure:
    if len(parts) == 2:
        first, second = parts
        return lambda creds, target: first(creds, target) and second(creds, target)
    return lambda creds, target: all(part(creds, target) for part in parts)


def _any_of(parts: list[Closure]) -> Closure:
    if len(parts) == 2:
        first, second = parts
        return lambda creds, target: first(creds, target) or second(creds, target)
    return lambda creds, target: any(part(creds, target) for part in parts)


def _reference(name: str, rules: Mapping[str, Any], path: tuple[str, ...]) -> Closure:
    if name in path:
        raise NotCompilable(f"rule {name} refers to itself")
    try:
        check = rules[name]
    except KeyError:
        return lambda creds, target: False
    return compile_check(check, rules, (*path, name))


def _role(match: str) -> Closure:
    if "%" in match:
        value = _formatter(match)

        def by_target(creds: Mapping[str, Any], target: Mapping[str, Any]) -> bool:
            try:
                return value(target).lower() in creds[ROLES]
            except KeyError:
                return False

        return by_target
    role = match.lower()
    return lambda creds, target: role in creds[ROLES]


def _formatter(match: str) -> Callable[[Mapping[str, Any]], str]:
    """``match % target`` with the usual forms decided beforehand; KeyError when the target lacks the key."""
    if "%" not in match:
        return lambda target: match
    name = match[2:-2]
    if match == f"%({name})s" and "%" not in name and ")" not in name:
        return lambda target: str(target[name])
    return lambda target: match % target


def _generic(kind: str, match: str) -> Closure:
    wanted = _formatter(match)
    try:
        literal = str(ast.literal_eval(kind))
    except ValueError:
        pass
    except SyntaxError as error:
        raise NotCompilable(kind) from error
    else:
        return _literal(literal, wanted)
    if "." in kind:
        raise NotCompilable(kind)

    def attribute(creds: Mapping[str, Any], target: Mapping[str, Any]) -> bool:
        try:
            value = creds[kind]
            text = wanted(target)
        except KeyError:
            return False
        if isinstance(value, list):
            return any(text == str(item) for item in value)
        return bool(text == str(value))

    return attribute


def _literal(literal: str, wanted: Callable[[Mapping[str, Any]], str]) -> Closure:
    def compare(creds: Mapping[str, Any], target: Mapping[str, Any]) -> bool:
        try:
            return wanted(target) == literal
        except KeyError:
            return False

    return compare
