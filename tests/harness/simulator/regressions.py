"""Seeds that violated an invariant once, and why; CI runs them before the others.

What a seed means changes with every change of the simulator, and of the product where tasks change places: the test
beside each mend is what holds it. The seeds stay as worlds that were hard.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Regression:
    """``why``: what was broken then."""

    seed: int
    why: str


REGRESSIONS = (
    Regression(4, "a repeated question to the scheduler claimed a host for a server whose build had failed"),
    Regression(211, "a build whose time was up kept the claim that no conductor had heard of"),
    Regression(219, "a build that an operator reset kept the claim that no conductor had heard of"),
    Regression(255, "a build that no host was left for kept the ports that a dead host had made"),
    Regression(252, "a guest of a build that went elsewhere while its host was dead, which is not ours to stop"),
    Regression(383, "a host that had hung took the port of a server that was built elsewhere by then"),
    Regression(562, "what was on the shelf was declared active, and its migration never ended"),
    Regression(503, "a migration planned before a reset undid itself where the guest had gone, and removed its disks"),
    Regression(1142, "a late word on a guest undid what the user had done since"),
    Regression(1096, "an unshelving left its dead host for the shelf, and its port stayed bound there"),
    Regression(745, "a shelving was reset while it cleared its host, and its unshelving bound no port"),
    Regression(1492, "a volume was being attached while its server was migrated live, and stayed held"),
    Regression(1287, "a rebuild died before it gave up an attachment, and the attach beside it failed"),
    Regression(303, "an operator reset a server in the middle of a live migration"),
    Regression(1461, "a rebuild gave up what a guest had brought, and what was to settle that was tried for ever"),
    Regression(1828, "a live migration's time was up while its destination was dead, and a port stayed behind"),
)
