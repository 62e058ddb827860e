"""[consoleauth]: tokens of remote consoles."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "consoleauth"

OPTIONS = [
    cfg.IntOpt(
        "token_ttl",
        default=600,
        min=1,
        max=30 * 24 * 3600,
        help="Seconds a console's URL can be used. Lower it where URLs may be overheard.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
