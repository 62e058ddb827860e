"""What monitoring reads: the findings by invariant, which must be 0, and how late the journal is.

Prometheus' text format, as the textfile collector of its node exporter takes it.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from nova_lite.audit.finding import INVARIANTS, Finding
from nova_lite.audit.gather import DOWN
from nova_lite.audit.world import World
from nova_lite.objects import OPEN_STATES

# The audit's own prefix, as every metric of an exporter has one.
_PREFIX = "nova_lite"
_EPOCH = datetime.datetime(1970, 1, 1)


def text(
    world: World, findings: Iterable[Finding], failures: Mapping[str, int], swept_s: float | None = None
) -> str:
    """All metrics of one look.

    :param failures: failed operations that are remembered, by action.
    :param swept_s: seconds since this process swept the journal; None: it does not.
    """
    registry = CollectorRegistry()
    by_invariant = Counter(finding.invariant for finding in findings)
    _labelled(registry, "audit_findings", "What does not hold, by invariant", "invariant",
              {name: by_invariant[name] for name in INVARIANTS})  # fmt: skip
    down = sum(reason == DOWN for reason in world.unheard.values())
    open_ages = [
        (world.now - each.start_time).total_seconds() for each in world.operations
        if each.state in OPEN_STATES and each.start_time is not None
    ]  # fmt: skip
    values = {
        "audit_timestamp_seconds": ("When this look was taken", (world.now - _EPOCH).total_seconds()),
        "audit_unheard": ("Hosts and services that should have answered and did not", len(world.unheard) - down),
        "hosts_down": ("Compute hosts without a heartbeat", down),
        "servers": ("Servers that are not deleted", len(world.servers)),
        "operations_open": ("Accepted operations that have not ended", len(open_ages)),
        "operation_oldest_open_seconds": ("Age of the oldest of them", max(open_ages, default=0.0)),
    }
    if swept_s is not None:
        values["sweep_age_seconds"] = ("Time since this conductor swept the journal", swept_s)
    for name, (help_text, value) in values.items():
        Gauge(f"{_PREFIX}_{name}", help_text, registry=registry).set(value)
    _labelled(registry, "operations_failed", "Failed operations that are remembered, by action", "action", failures)
    return generate_latest(registry).decode()


def _labelled(registry: CollectorRegistry, name: str, help_text: str, label: str, rows: Mapping[str, int]) -> None:
    gauge = Gauge(f"{_PREFIX}_{name}", help_text, [label], registry=registry)
    for key, value in rows.items():
        gauge.labels(key).set(value)
