"""[DEFAULT]: availability zones, of hosts and of servers that ask for none."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "DEFAULT"

OPTIONS = [
    cfg.StrOpt(
        "default_availability_zone",
        default="nova",
        help="Zone of the hosts that are in no aggregate with a zone. Choose it before the first server is created: "
        "servers keep the name of the zone they asked for. Related: default_schedule_zone.",
    ),
    cfg.StrOpt(
        "default_schedule_zone",
        help="Zone of servers whose request names none; unset, they go to hosts of any zone. Set it where a zone is "
        "reserved for those who ask for it. Related: default_availability_zone.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS)
