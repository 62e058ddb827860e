"""[DEFAULT]: shelved servers."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "DEFAULT"

OPTIONS = [
    cfg.IntOpt(
        "shelved_offload_time",
        default=0,
        min=-1,
        max=100 * 365 * 24 * 3600,
        help="Seconds that a shelved server keeps its host: 0 takes it off at once, -1 never. Raise it where servers "
        "are shelved for short times and shall come back fast.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS)
