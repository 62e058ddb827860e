"""Service versions: what each release of the daemons says on the wire, and beside whom it can serve.

A daemon's row in ``services`` says the version of its code and the oldest version that this code works with, so that of
any two daemons the newer one knows, and both can refuse. doc/design/032-versions-and-upgrades.md has the rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol


@dataclass(frozen=True)
class ServiceVersion:
    """One release. ``works_with`` is the oldest it can serve beside; ``rpc`` what it understands, by topic."""

    number: int
    works_with: int
    rpc: Mapping[str, str]
    brought: str


def _rpc(compute: str, conductor: str, scheduler: str) -> Mapping[str, str]:
    return MappingProxyType({"compute": compute, "conductor": conductor, "scheduler": scheduler})


HISTORY: tuple[ServiceVersion, ...] = (
    ServiceVersion(1, 1, _rpc("1.0", "1.0", "1.0"), "The first daemons: they say no more than this number."),
    ServiceVersion(2, 2, _rpc("1.0", "1.0", "1.0"), "Says what it works with; hosts have identities; all of the API."),
    ServiceVersion(3, 2, _rpc("1.0", "1.1", "1.0"), "Hosts number what they say of an operation."),
    ServiceVersion(4, 2, _rpc("1.0", "1.1", "1.0"), "A host that a guest was sent to says whether it came."),
)
CURRENT = HISTORY[-1]


class Daemon(Protocol):
    """What of a row of ``services`` counts here."""

    @property
    def binary(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def works_with(self) -> int: ...


def refusal(other: Daemon, mine: ServiceVersion | None = None) -> str | None:
    """Why this code (``mine``) and another daemon cannot serve side by side, and what to do; None where they can."""
    mine = mine or CURRENT
    who = f"{other.binary} on host {other.host} is of service version {other.version}"
    if other.version < mine.works_with:
        return (
            f"{who}, this one is of {mine.number} and works with {mine.works_with} or newer: upgrade that host first."
        )
    if mine.number < other.works_with:
        return (
            f"{who} and works with {other.works_with} or newer, this one is of {mine.number}: upgrade this host first."
        )
    return None


def understood(topic: str, number: int) -> str:
    """The version of messages that a daemon of a service version understands; a newer one understands ours."""
    known = [each.rpc[topic] for each in HISTORY if each.number <= number]
    return known[-1] if known else HISTORY[0].rpc[topic]


def lower(one: str, other: str) -> str:
    """The lower of two versions of one major; where the majors differ, the lower one too."""
    return min(one, other, key=lambda version: tuple(int(part) for part in version.split(".")))
