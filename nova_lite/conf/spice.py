"""[spice]: SPICE consoles, in the browser or by a native client."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "spice"

OPTIONS = [
    cfg.BoolOpt("enabled", default=False, help="Whether guests have a SPICE console. Set it where a proxy serves it."),
    cfg.StrOpt(
        "html5proxy_base_url",
        default="http://127.0.0.1:6082/spice_auto.html",
        help="Where a browser finds the SPICE proxy. Set it to the address that users can reach.",
    ),
    cfg.StrOpt(
        "spice_direct_proxy_base_url",
        default="http://127.0.0.1:13002/nova",
        help="Where a native SPICE client finds its proxy. Set it to the address that users can reach.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
