"""A hypervisor in memory: instant, complete, with programmable faults; one module a capability group."""

from __future__ import annotations

from nova_lite.virt.fake.power import FakePower


class FakeDriver(FakePower):
    """All of it."""

    capabilities = frozenset({"power", "pause", "suspend", "console"})
