"""A hypervisor in memory: instant, complete, with programmable faults; one module a capability group."""

from __future__ import annotations

from nova_lite.virt.fake.consoles import FakeConsoles
from nova_lite.virt.fake.power import FakePower


class FakeDriver(FakePower, FakeConsoles):
    """All of it."""

    capabilities = frozenset({"power", "pause", "suspend", "console", "remote_console"})
