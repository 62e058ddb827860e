"""[rpc]: messages between the services, beside what oslo.messaging itself offers."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "rpc"

OPTIONS = [
    cfg.IntOpt(
        "message_ttl",
        default=3600,
        min=10,
        max=30 * 24 * 3600,
        help="Seconds after which a message is dropped instead of handled. A message is only a wake-up, its work is "
        "kept in the database, so a lower value is safe. Keep the clocks of the hosts together within it.",
    ),
    cfg.IntOpt(
        "outbox_size",
        default=10000,
        min=1,
        max=10_000_000,
        help="Messages a process keeps in memory while the broker is away; the oldest are dropped first and repeated "
        "by the sweeper. Raise it when thousands of requests come in during an outage and memory allows.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
