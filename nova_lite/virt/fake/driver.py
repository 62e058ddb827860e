"""A hypervisor in memory: instant, complete, with programmable faults; one module a capability group."""

from __future__ import annotations

from nova_lite.virt.fake.consoles import FakeConsoles
from nova_lite.virt.fake.inside import FakeInside
from nova_lite.virt.fake.interfaces import FakeInterfaces
from nova_lite.virt.fake.live_migration import FakeLiveMigration
from nova_lite.virt.fake.power import FakePower
from nova_lite.virt.fake.quarantine import FakeQuarantine
from nova_lite.virt.fake.rescue import FakeRescue
from nova_lite.virt.fake.snapshot import FakeSnapshot
from nova_lite.virt.fake.volumes import FakeVolumes


class FakeDriver(
    FakePower, FakeConsoles, FakeInside, FakeInterfaces, FakeLiveMigration, FakeQuarantine, FakeRescue, FakeSnapshot,
    FakeVolumes,
):  # fmt: skip
    """All of it."""

    capabilities = frozenset(
        {
            "power",
            "pause",
            "suspend",
            "console",
            "remote_console",
            "live_migration",
            "migrate",
            "diagnostics",
            "nmi",
            "password",
            "quarantine",
            "rescue",
            "snapshot",
            "interfaces",
            "volumes",
        }
    )
