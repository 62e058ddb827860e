"""[scheduler]: how the scheduler works, whatever it chooses by."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "scheduler"

OPTIONS = [
    cfg.IntOpt(
        "max_attempts",
        default=3,
        min=1,
        max=50,
        help="Hosts on which the build of a server is tried before it fails: the chosen one and its alternates. Raise "
        "it where hosts often refuse what they were chosen for.",
    ),
    cfg.IntOpt(
        "claim_rounds",
        default=5,
        min=1,
        max=100,
        help="How often the scheduler looks at all hosts anew for one server when other requests take the room it had "
        "chosen; after that it answers that no host is valid, because of a claim race. Raise it where very many "
        "servers are created at once on an almost full cloud.",
    ),
    cfg.FloatOpt(
        "host_cache_s",
        default=1.0,
        min=0,
        max=10,
        help="Seconds for which what was read of all hosts may be used again, or four times as long as the reading "
        "took if that is longer. A claim and a refusal never rest on it alone. Raise it where the database is busy "
        "with such readings; zero reads all hosts for every server.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
