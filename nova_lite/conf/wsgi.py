"""[wsgi]: the HTTP server inside nova-lite-api and nova-lite-all-in-one."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "wsgi"

OPTIONS = [
    cfg.StrOpt(
        "ssl_cert_file",
        help="PEM file with the certificate and its chain. Required where [DEFAULT] enabled_ssl_apis is not empty.",
    ),
    cfg.StrOpt("ssl_key_file", help="PEM file with the private key of ssl_cert_file."),
    cfg.StrOpt(
        "ssl_ca_file",
        help="PEM file with authorities; set, clients must show a certificate that one of them signed.",
    ),
    cfg.BoolOpt(
        "share_port",
        default=False,
        help="Whether another nova-lite-api of the same user may listen on the same port meanwhile, so that the next "
        "one serves before this one ends. Set it where neither systemd's socket nor a proxy keeps clients waiting "
        "during a restart; a second daemon that is started by mistake is then not refused.",
    ),
    cfg.BoolOpt(
        "keep_alive",
        default=True,
        help="Whether a connection may carry several requests. Turn it off behind proxies that mishandle it.",
    ),
    cfg.IntOpt(
        "client_socket_timeout",
        default=60,
        min=1,
        max=3600,
        help="Seconds a client may be silent, between requests or within one, before its connection is closed.",
    ),
    cfg.IntOpt(
        "max_header_line",
        default=16384,
        min=1024,
        max=1048576,
        help="Longest request or header line in bytes; longer ones are refused. Raise it for very large tokens.",
    ),
    cfg.IntOpt(
        "max_header_size",
        default=65536,
        min=4096,
        max=1048576,
        help="Size of all headers of a request in bytes; more is refused. Related: max_header_line.",
    ),
    cfg.IntOpt(
        "green_threads",
        default=1000,
        min=1,
        max=100000,
        help="Connections a process serves at the same time with concurrency_backend = eventlet.",
    ),
    cfg.IntOpt(
        "threads",
        default=16,
        min=1,
        max=1000,
        help="Requests a process works on at the same time with concurrency_backend = threading; more wait their turn.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
