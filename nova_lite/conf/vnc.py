"""[vnc]: consoles in the browser by noVNC."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "vnc"

OPTIONS = [
    cfg.BoolOpt(
        "enabled",
        default=True,
        help="Whether guests have a VNC console. Set it to false where nobody shall see a guest's screen.",
    ),
    cfg.StrOpt(
        "novncproxy_base_url",
        default="http://127.0.0.1:6080/vnc_auto.html",
        help="Where a browser finds the noVNC proxy. Set it to the address that users can reach.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
