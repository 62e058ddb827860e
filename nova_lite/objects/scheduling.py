"""RequestSpec, Selection, Diagnosis: the scheduler's question, its answer, and why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from nova_lite.objects.base import TravellingObject
from nova_lite.objects.flavor import Flavor
from nova_lite.objects.image import ImageMeta
from nova_lite.objects.server_group import GroupRule


@dataclass(frozen=True)
class RequestSpec(TravellingObject):
    """What one server needs of a host. ``disk_gb`` is what it claims locally (0 for a volume-backed root).

    ``ignore_hosts`` are hosts that refused or lost this very operation before; ``force_*`` come from the API
    (``az:host:node``, or ``host`` and ``hypervisor_hostname`` from 2.74). ``group`` is what the server's group asks.
    ``operation_id`` and ``attempt`` say on whose behalf it is asked: once that turn is over nothing is claimed.
    """

    VERSION: ClassVar[str] = "1.2"

    instance_uuid: str
    project_id: str
    user_id: str
    flavor: Flavor
    image: ImageMeta | None = None
    disk_gb: int = 0
    availability_zone: str | None = None
    force_host: str | None = None
    force_node: str | None = None
    ignore_hosts: tuple[str, ...] = ()
    scheduler_hints: dict[str, Any] = field(default_factory=dict)
    group: GroupRule | None = None
    operation_id: int | None = None
    attempt: int | None = None

    @property
    def vcpus(self) -> int:
        return self.flavor.vcpus

    @property
    def memory_mb(self) -> int:
        return self.flavor.memory_mb


@dataclass(frozen=True)
class Selection(TravellingObject):
    """One chosen node; ``claimed`` is False for an alternate, which the conductor claims if it needs it."""

    host: str
    node: str
    node_uuid: str
    availability_zone: str | None = None
    claimed: bool = True


@dataclass(frozen=True)
class Verdict(TravellingObject):
    """One filter's refusal of one host, with the sentence that says why."""

    host: str
    node: str
    filter: str
    reason: str


@dataclass(frozen=True)
class Diagnosis(TravellingObject):
    """What became of each host: kept with the operation, shown to administrators.

    ``counts`` has every refusal, by filter; ``refusals`` is a bounded sample of them and ``weights`` of the best hosts.
    ``nearest`` names the host that lacked least, ``note`` what else happened (a claim race, an earlier claim).
    """

    considered: int = 0
    refusals: tuple[Verdict, ...] = ()
    weights: dict[str, float] = field(default_factory=dict)
    chosen: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    nearest: str | None = None
    note: str | None = None

    def summary(self) -> str:
        """A sentence safe for a user: how many hosts, refused by which filters, no host names."""
        if not self.considered:
            return "There are no compute hosts."
        counts = dict(self.counts)
        for refusal in self.refusals if not counts else ():
            counts[refusal.filter] = counts.get(refusal.filter, 0) + 1
        parts = ", ".join(f"{number} by {name}" for name, number in sorted(counts.items()))
        refused = f": refused {parts}" if parts else ""
        note = f"; {self.note}" if self.note else ""
        return f"{self.considered} host(s) considered{refused}{note}."


@dataclass(frozen=True)
class Placement(TravellingObject):
    """The scheduler's answer for one server: the claimed node first, then alternates; empty when no host is valid."""

    instance_uuid: str
    selections: tuple[Selection, ...] = ()
    diagnosis: Diagnosis = field(default_factory=Diagnosis)
