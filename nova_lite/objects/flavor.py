"""Flavor: the sizes a server is sold in."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field

from nova_lite.objects.base import TravellingObject


@dataclass(frozen=True)
class Flavor(TravellingObject):
    """Sizes: memory and swap in MiB, disks in GiB; ``flavorid`` is the public id, ``id`` the row."""

    flavorid: str
    name: str
    vcpus: int
    memory_mb: int
    root_gb: int
    ephemeral_gb: int = 0
    swap_mb: int = 0
    rxtx_factor: float = 1.0
    is_public: bool = True
    disabled: bool = False
    description: str | None = None
    extra_specs: dict[str, str] = field(default_factory=dict)
    id: int | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @property
    def disk_gb(self) -> int:
        """Local disk a server of this flavor claims: root, ephemeral and swap rounded up (GiB)."""
        return self.root_gb + self.ephemeral_gb + -(-self.swap_mb // 1024)


def quota_counts(flavors: Iterable[Flavor]) -> dict[str, int]:
    """What one server of each of these flavors counts for in its project's quota (ram in MiB)."""
    counts = {"instances": 0, "cores": 0, "ram": 0}
    for flavor in flavors:
        counts["instances"] += 1
        counts["cores"] += flavor.vcpus
        counts["ram"] += flavor.memory_mb
    return counts
