"""AggregateInstanceExtraSpecsFilter: the flavor's extra specs hold against the metadata of the host's aggregates.

Specs count with the scope ``aggregate_instance_extra_specs:`` or with none. A value may begin with an operator, as in
``>= 4`` or ``<in> ssd``; several alternatives are ``<or> a <or> b``. Without one it must be equal.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

from nova_lite.objects import RequestSpec
from nova_lite.scheduler.base import Filter
from nova_lite.scheduler.host_state import HostState

SCOPE = "aggregate_instance_extra_specs"

_NUMBERS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.ge, "==": operator.eq, "!=": operator.ne, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip
_TEXTS: dict[str, Callable[[str, str], bool]] = {
    "s==": operator.eq, "s!=": operator.ne, "s<": operator.lt, "s<=": operator.le, "s>": operator.gt,
    "s>=": operator.ge,
}  # fmt: skip


class AggregateInstanceExtraSpecsFilter(Filter):
    name = "AggregateInstanceExtraSpecsFilter"
    cost = 55

    def applies(self, spec: RequestSpec) -> bool:
        return any(_key(name) is not None for name in spec.flavor.extra_specs)

    def passes(self, host: HostState, spec: RequestSpec) -> str | None:
        for name, wanted in spec.flavor.extra_specs.items():
            key = _key(name)
            if key is None:
                continue
            values = [value for name_here, value in host.metadata if name_here == key]
            if not values:
                return f"no aggregate of it has {key}, the flavor wants {wanted!r}"
            if not any(matches(value, wanted) for value in values):
                return f"its aggregates have {key} {', '.join(sorted(values))}, the flavor wants {wanted!r}"
        return None


def _key(name: str) -> str | None:
    """What an extra spec asks of an aggregate; None when it asks something of somebody else."""
    scope, _, rest = name.partition(":")
    if not rest:
        return name
    return rest if scope == SCOPE else None


def matches(value: str, wanted: str) -> bool:
    """Whether a metadata value is what an extra spec wants."""
    words = wanted.split()
    sign = words[0] if words else ""
    rest = words[1:]
    if sign == "<or>":
        return value in (word for word in rest if word != "<or>")
    if sign == "<in>":
        return " ".join(rest) in value
    if sign == "<all-in>":
        return all(word in value for word in rest)
    if sign in _TEXTS:
        return _TEXTS[sign](value, " ".join(rest))
    if sign in _NUMBERS:
        try:
            return _NUMBERS[sign](float(value), float(" ".join(rest)))
        except ValueError:
            return False
    return value == wanted
