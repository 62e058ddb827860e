"""What a filter and a weigher are. Both are pure: no I/O, no configuration, no transport.

A filter answers for one host (:meth:`Filter.passes`) and, on the hot path, for all hosts at once (:meth:`Filter.keep`).
The two must agree; ``keep`` exists because a list comprehension costs a tenth of ten thousand method calls.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import ClassVar

from nova_lite.objects import RequestSpec
from nova_lite.scheduler.host_state import HostState


class Filter(abc.ABC):
    """Refuses hosts that cannot take a server. ``cost`` orders filters: cheap and sharp ones first."""

    name: ClassVar[str]
    cost: ClassVar[int] = 50

    def applies(self, spec: RequestSpec) -> bool:
        """False when the spec asks nothing of this filter: every host passes then."""
        return True

    @abc.abstractmethod
    def passes(self, host: HostState, spec: RequestSpec) -> str | None:
        """None when the host may take the server, else the sentence that says why not, with numbers."""

    def keep(self, hosts: Sequence[HostState], spec: RequestSpec) -> list[HostState]:
        """The hosts that pass, in their order."""
        return [host for host in hosts if self.passes(host, spec) is None]


class ResourceFilter(Filter):
    """A filter on an amount that is used up; knows by how much a host falls short."""

    unit: ClassVar[str]

    @abc.abstractmethod
    def need(self, spec: RequestSpec) -> int:
        """What the server needs, in ``unit``."""

    @abc.abstractmethod
    def available(self, host: HostState) -> float:
        """The most that one more server could have of this host, in ``unit``."""


class Weigher(abc.ABC):
    """Ranks hosts: a higher raw figure times a positive multiplier is better."""

    name: ClassVar[str]
    option: ClassVar[str]

    def __init__(self, multiplier: float) -> None:
        self.multiplier = multiplier

    def applies(self, spec: RequestSpec) -> bool:
        """False when the spec asks nothing of this weigher: all hosts weigh alike then."""
        return True

    @abc.abstractmethod
    def raws(self, hosts: Sequence[HostState], spec: RequestSpec) -> list[float]:
        """The raw figure of each host for the spec's server, in their order."""
