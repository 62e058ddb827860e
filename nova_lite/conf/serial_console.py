"""[serial_console]: serial consoles by websocket."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "serial_console"

OPTIONS = [
    cfg.BoolOpt("enabled", default=False, help="Whether guests have a serial console. Set it where a proxy serves it."),
    cfg.StrOpt(
        "base_url",
        default="ws://127.0.0.1:6083/",
        help="Where a client finds the websocket proxy. Set it to the address that users can reach.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
