"""How long nobody was served: two probes ask all the time, and the gaps between their successes are the downtime."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

from tests.harness.chaos.rest import Ledger, Rest
from tests.harness.chaos.world import World

INTERVAL_S = 0.25
TIMEOUT_S = 3.0
# A gap that long between two successes is no downtime yet.
GRACE_S = 1.0
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJm7tWbDpC1rRXQkGMHcgmQkVBFYOKbUBsLvrGMKpDr chaos"


class Probe(threading.Thread):
    """GET, or POST (a key pair, which goes again); remembers when it succeeded."""

    def __init__(self, world: World, method: str) -> None:
        super().__init__(name=f"probe-{method}", daemon=True)
        self._rest: Rest = world.rest("demo", Ledger())
        self._compute = world.url("compute")
        self._method = method
        self._ended = threading.Event()
        self._times = [time.monotonic()]

    def run(self) -> None:
        while not self._ended.wait(INTERVAL_S):
            if self._served():
                self._times.append(time.monotonic())

    def _served(self) -> bool:
        if self._method == "GET":
            return self._rest.ask(self._compute, "GET", "/servers?limit=1", timeout_s=TIMEOUT_S).status == 200
        body = {"keypair": {"name": "probe", "public_key": KEY, "type": "ssh"}}
        made = self._rest.ask(self._compute, "POST", "/os-keypairs", body, timeout_s=TIMEOUT_S)
        gone = self._rest.ask(self._compute, "DELETE", "/os-keypairs/probe", timeout_s=TIMEOUT_S)
        # 409: an earlier answer was lost and the pair is still there; that is a served request, too.
        return made.status in (200, 201, 409) and gone.status in (202, 204)

    def end(self) -> None:
        self._ended.set()
        self.join(2 * TIMEOUT_S + 1)

    def downtime(self, begin: float, end: float) -> float:
        """Seconds between two moments of the monotonic clock in which nobody was served."""
        before = max((each for each in self._times if each < begin), default=begin)
        inside = [each for each in self._times if begin <= each <= end]
        gaps = [later - earlier for earlier, later in pairwise([before, *inside, end])]
        return round(sum(gap - INTERVAL_S for gap in gaps if gap > GRACE_S), 1)
