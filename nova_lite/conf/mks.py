"""[mks]: consoles by WebMKS."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "mks"

OPTIONS = [
    cfg.BoolOpt("enabled", default=False, help="Whether guests have an MKS console. Set it where a proxy serves it."),
    cfg.StrOpt(
        "mksproxy_base_url",
        default="http://127.0.0.1:6090/",
        help="Where a browser finds the WebMKS proxy. Set it to the address that users can reach.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
