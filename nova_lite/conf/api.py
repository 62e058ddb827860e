"""[api]: the compute API."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "api"

OPTIONS = [
    cfg.StrOpt(
        "auth_strategy",
        default="keystone",
        choices=[
            ("keystone", "a token of the identity service, checked by keystonemiddleware"),
            ("noauth2", "the token is 'user:project' and is believed; for tests on a loopback address only"),
        ],
        help="How a request proves who asks. Change it for tests without an identity service only.",
    ),
    cfg.StrOpt(
        "paste_config",
        default="api-paste.ini",
        help="The Paste file that wires the applications. A bare name is searched in the configuration directories, "
        "/etc/nova-lite, the installation's etc/nova-lite and the source tree's etc/. Change it to add filters.",
    ),
    cfg.IntOpt(
        "max_limit",
        default=1000,
        min=1,
        max=1_000_000,
        mutable=True,
        help="Most items of one list answer; larger limits are cut down to it. Lower it where huge answers hurt.",
    ),
    cfg.StrOpt(
        "compute_link_prefix",
        help="URL that replaces scheme, host and port in links, such as https://cloud.example.com/compute. Set it "
        "behind a proxy that changes the address and sends no forwarding headers. Related: [oslo_middleware] "
        "enable_proxy_headers_parsing.",
    ),
    cfg.BoolOpt(
        "enable_instance_password",
        default=True,
        mutable=True,
        help="Whether create answers an adminPass. Turn it off where guests take no password.",
    ),
    cfg.IntOpt(
        "max_request_body_size",
        default=114688,
        min=1024,
        max=1 << 30,
        help="Longest request body in bytes; a longer one is refused with 413 before it is read.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
