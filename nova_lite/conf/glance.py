"""[glance]: the image service as a client sees it."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "glance"

OPTIONS = [
    cfg.URIOpt(
        "endpoint_override",
        schemes=["http", "https"],
        help="URL of the image service, used instead of the catalogue's. Set it where the catalogue's is not reachable "
        "from here. Related: valid_interfaces, region_name.",
    ),
    cfg.StrOpt("service_type", default="image", help="Type of the image service in the catalogue."),
    cfg.ListOpt(
        "valid_interfaces",
        default=["internal", "public"],
        help="Interfaces of the catalogue's endpoints, best first. Change it where only one kind is reachable.",
    ),
    cfg.StrOpt(
        "region_name",
        help="Region of the image service; unset, [service_auth] region_name. Set it where images live elsewhere.",
    ),
    cfg.IntOpt(
        "num_retries",
        default=3,
        min=0,
        max=20,
        help="How often a request or an interrupted download is tried again. Raise it on an unreliable network.",
    ),
    cfg.FloatOpt(
        "retry_delay_s",
        default=0.5,
        min=0.0,
        max=3600.0,
        help="Seconds before the first new try; doubled before each further one. Related: num_retries.",
    ),
    cfg.IntOpt(
        "image_size_max",
        default=1 << 40,
        min=1,
        max=1 << 60,
        help="Bytes that a download may have at most, whatever the image service says. Lower it to protect the disk.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
