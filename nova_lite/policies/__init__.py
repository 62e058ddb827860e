"""The catalogue of rules, one module a resource."""

from __future__ import annotations

import importlib
import pkgutil

from nova_lite.policies.base import Rule


def resources() -> list[str]:
    """Names of the catalogue's modules, the base rules first."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return ["base", *(name for name in names if name != "base")]


def all_rules() -> tuple[Rule, ...]:
    """Every rule.

    :raises ValueError: two modules define the same name.
    """
    rules: dict[str, Rule] = {}
    for resource in resources():
        for rule in importlib.import_module(f"{__name__}.{resource}").RULES:
            if rule.name in rules:
                raise ValueError(f"policy rule {rule.name} is defined twice, again in {resource}")
            rules[rule.name] = rule
    return tuple(rules.values())
