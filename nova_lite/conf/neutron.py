"""[neutron]: the network service as a client sees it."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "neutron"

OPTIONS = [
    cfg.URIOpt(
        "endpoint_override",
        schemes=["http", "https"],
        help="URL of the network service, used instead of the catalogue's. Set it where the catalogue's is not "
        "reachable from here. Related: valid_interfaces, region_name.",
    ),
    cfg.StrOpt("service_type", default="network", help="Type of the network service in the catalogue."),
    cfg.ListOpt(
        "valid_interfaces",
        default=["internal", "public"],
        help="Interfaces of the catalogue's endpoints, best first. Change it where only one kind is reachable.",
    ),
    cfg.StrOpt(
        "region_name",
        help="Region of the network service; unset, [service_auth] region_name. Set it where ports live elsewhere.",
    ),
    cfg.IntOpt(
        "http_retries",
        default=3,
        min=0,
        max=20,
        help="How often a request that changes nothing is tried again. Raise it on an unreliable network.",
    ),
    cfg.FloatOpt(
        "timeout",
        default=15.0,
        min=0.1,
        max=3600.0,
        help="Seconds that the network service may take to connect or to send the next bytes. Raise it where it is "
        "slow.",
    ),
    cfg.StrOpt(
        "ovs_bridge",
        default="br-int",
        help="Bridge of ports that are bound to Open vSwitch and name none. Set it where agents have another.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
