"""What a storm found: how long nobody was served under each kind of fault, how long mending took, what was wrong."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.harness.chaos.gauges import Gauge


@dataclass(frozen=True)
class Round:
    """One fault. Seconds: ``lasted`` from its begin to its end, ``mended`` from there until all books agreed."""

    fault: str
    chosen: str
    lasted_s: float
    mended_s: float
    get_down_s: float
    post_down_s: float
    promises: int
    wrong: tuple[str, ...] = ()


@dataclass
class Report:
    world: str
    seed: int
    seconds: float = 0.0
    rounds: list[Round] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)
    statuses: dict[int, int] = field(default_factory=dict)
    promises: int = 0
    actions: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    before: dict[str, Gauge] = field(default_factory=dict)
    after: dict[str, Gauge] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def violations(self) -> list[str]:
        return [*self.wrong, *(each for one in self.rounds for each in one.wrong)]

    def kinds(self) -> list[dict[str, Any]]:
        """A row for each fault, medians and worst."""
        names = dict.fromkeys(one.fault for one in self.rounds)
        return [_row(name, [one for one in self.rounds if one.fault == name]) for name in names]

    def as_json(self) -> dict[str, Any]:
        facts = asdict(self)
        return {**facts, "kinds": self.kinds(), "violations": self.violations}

    def __str__(self) -> str:
        done = self.outcomes.get("done", 0)
        head = (
            f"{self.world}, seed {self.seed}: {self.seconds:.0f} s, {len(self.rounds)} faults, {self.promises} "
            f"requests accepted, {done} operations done, {sum(self.outcomes.values()) - done} failed with a "
            f"reason; answers {self.statuses} (0: connection lost)"
        )
        lines = [head, f"{'fault':20} {'times':>5} {'GET down s':>16} {'POST down s':>16} {'mended s':>16}"]
        for row in self.kinds():
            spreads = (row[key] for key in ("get_down_s", "post_down_s", "mended_s"))
            cells = " ".join(f"{median:7.1f} / {worst:6.1f}" for median, worst in spreads)
            lines.append(f"{row['fault']:20} {row['times']:5} {cells}")
        lines.append("accepted: " + ", ".join(f"{number} {action}" for action, number in self.actions.items()))
        lines += [f"not here: {name}: {why}" for name, why in self.absent.items()]
        found = self.violations
        lines.append(f"{len(found)} violations" + "".join(f"\n  {each}" for each in found[:40]))
        return "\n".join(lines)


def _row(name: str, rounds: list[Round]) -> dict[str, Any]:
    def spread(key: str) -> tuple[float, float]:
        values = [getattr(one, key) for one in rounds]
        return round(statistics.median(values), 1), max(values)

    return {
        "fault": name, "times": len(rounds), "lasted_s": spread("lasted_s"), "get_down_s": spread("get_down_s"),
        "post_down_s": spread("post_down_s"), "mended_s": spread("mended_s"),
        "violations": sum(len(one.wrong) for one in rounds),
    }  # fmt: skip
