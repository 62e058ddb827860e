"""[cinder]: the volume service as a client sees it, under Nova's names."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "cinder"

OPTIONS = [
    cfg.StrOpt(
        "catalog_info",
        default="block-storage::public",
        regex=r"^[\w-]+:\w*:\w+$",
        help="Where the catalogue has the volume service: <service_type>:<service_name>:<interface>, the name may be "
        "empty. Change it where only another interface is reachable. Related: endpoint_template.",
    ),
    cfg.StrOpt(
        "endpoint_template",
        help="URL of the volume service, used instead of the catalogue's, such as "
        "http://localhost:8776/v3/%(project_id)s. Set it where the catalogue's is not reachable from here.",
    ),
    cfg.StrOpt(
        "os_region_name",
        help="Region of the volume service; unset, [service_auth] region_name. Set it where volumes live elsewhere.",
    ),
    cfg.IntOpt(
        "http_retries",
        default=3,
        min=0,
        max=20,
        help="How often a request is tried again that the volume service did not answer, or answered with 5xx. Only "
        "requests that may be repeated are. Raise it on an unreliable network. Related: retry_delay_s.",
    ),
    cfg.FloatOpt(
        "retry_delay_s",
        default=0.5,
        min=0.0,
        max=3600.0,
        help="Seconds before the first new try; doubled before each further one. Related: http_retries.",
    ),
    cfg.IntOpt(
        "block_device_allocate_retries",
        default=60,
        min=0,
        max=1_000_000,
        help="How often a build asks whether its volumes are ready before it fails. Raise it where large images are "
        "copied into volumes slowly. Related: block_device_allocate_retries_interval.",
    ),
    cfg.FloatOpt(
        "block_device_allocate_retries_interval",
        default=3.0,
        min=0.0,
        max=3600.0,
        help="Seconds between two such questions. Related: block_device_allocate_retries.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
