"""[upgrade_levels]: the version of the messages to daemons that are not upgraded yet."""

from __future__ import annotations

from oslo_config import cfg, types

GROUP = "upgrade_levels"

OPTIONS = [
    cfg.Opt(
        topic,
        type=types.String(regex=r"auto|\d+\.\d+"),
        default="auto",
        help=f"Version of the messages to nova-lite-{topic}: auto is the one that the oldest of them understands, by "
        "their rows in the database. Set a version, such as 1.0, where rows of daemons that are gone are in the way.",
    )
    for topic in ("compute", "conductor", "scheduler")
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
