"""[operations]: the journal of accepted requests, its leases and its sweeper."""

from __future__ import annotations

from dataclasses import dataclass

from oslo_config import cfg

GROUP = "operations"


@dataclass(frozen=True)
class Fit:
    """``shorter`` must be below ``longer`` (``why``: what happens else), and should be below its ``times``-th part."""

    shorter: str
    longer: str
    times: int
    why: str
    is_fatal: bool = True


FITS = (
    Fit("heartbeat_interval_s", "lease_s", 3, "leases end between two heartbeats and no operation keeps its worker"),
    Fit("heartbeat_interval_s", "service_down_s", 3, "every host counts as down between two heartbeats"),
    Fit("sweep_interval_s", "service_down_s", 2, "a conductor that looks so seldom never believes that a host is down"),
    Fit("lease_s", "service_down_s", 1, "hosts stop work after service_down_s, before their leases are over", False),
)

OPTIONS = [
    cfg.FloatOpt(
        "heartbeat_interval_s",
        default=3.0,
        min=0.1,
        max=3600.0,
        help="Seconds between two heartbeats of a daemon; a heartbeat renews the leases of the operations in flight "
        "and brings back those that wait. Lower it for faster recovery. Related: lease_s, service_down_s.",
    ),
    cfg.FloatOpt(
        "lease_s",
        default=20.0,
        min=0.5,
        max=86400.0,
        help="Seconds that a worker may hold an operation without a heartbeat before another may take it. Keep it at "
        "several times heartbeat_interval_s.",
    ),
    cfg.FloatOpt(
        "service_down_s",
        default=30.0,
        min=0.5,
        max=86400.0,
        help="Seconds without a heartbeat after which a daemon counts as down. Keep it above lease_s.",
    ),
    cfg.FloatOpt(
        "sweep_interval_s",
        default=3.0,
        min=0.1,
        max=3600.0,
        help="Seconds between two sweeps of a conductor: it picks up operations nobody took, whose lease ran out or "
        "whose deadline passed. Lower it for faster recovery.",
    ),
    cfg.FloatOpt(
        "power_sync_interval_s",
        default=60.0,
        min=0.5,
        max=86400.0,
        help="Seconds between two comparisons of all servers of a host with its hypervisor. Events report changes at "
        "once; this is the safety net.",
    ),
    cfg.FloatOpt(
        "acceptance_s",
        default=600.0,
        min=1.0,
        max=604800.0,
        help="Seconds that a request may take until it is accepted. Then nothing can come of it any more, and what it "
        "reserved or made in the image and volume services is taken back: its API died. Keep it above what the slowest "
        "creation of several servers takes; lower it to have volumes of dead requests free sooner.",
    ),
    cfg.IntOpt(
        "retention_days",
        default=30,
        min=1,
        max=36500,
        help="Days that deleted servers, the operations of servers that are gone, and of a living server all but its "
        "newest 1000, are kept, for changes-since and audits. Lower it where the database grows too large.",
    ),
    cfg.FloatOpt(
        "audit_interval_s",
        default=600.0,
        min=0.0,
        max=604800.0,
        help="Seconds between two audits, which one conductor does: everything that the database, the hosts and the "
        "neighbours have is compared; what is wrong in two audits in a row is logged. 0 switches them off. Raise it "
        "in a very large cloud.",
    ),
    cfg.StrOpt(
        "metrics_file",
        help="File that the auditing conductor writes its metrics to, in Prometheus' text format: for the textfile "
        "collector of a node exporter. Give it to each conductor. Unset, none is written.",
    ),
    cfg.IntOpt(
        "workers",
        default=64,
        min=1,
        max=10000,
        help="Operations that one daemon runs at the same time. Lower it where a host cannot boot so many guests "
        "at once.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
