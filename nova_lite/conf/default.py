"""[DEFAULT]: this process and this host. Nothing here must be set."""

from __future__ import annotations

import os
import socket

from oslo_config import cfg, types

GROUP = "DEFAULT"


def default_state_path() -> str:
    """/var/lib for root, the user's state directory for everybody else."""
    if os.geteuid() == 0:
        return "/var/lib/nova-lite"
    home = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(home, "nova-lite")


def _listen(name: str, port: int, what: str, related: str) -> list[cfg.Opt]:
    """The three options of one WSGIService."""
    return [
        cfg.HostAddressOpt(
            f"{name}_listen",
            default="0.0.0.0",
            help=f"Address {what} listens on. Set a loopback address behind a proxy on the same machine. {related}",
        ),
        cfg.PortOpt(f"{name}_listen_port", default=port, help=f"TCP port {what} listens on. {related}"),
        cfg.IntOpt(
            f"{name}_workers",
            default=1,
            min=1,
            max=1024,
            help=f"Processes for {what}. With 1 it runs in the parent process and uses one core; raise it to the "
            "number of cores that requests may use.",
        ),
    ]


OPTIONS = [
    cfg.HostDomainOpt(
        "host",
        default=socket.gethostname(),
        sample_default="<this machine's name>",
        help="Name of this host in the cloud. Set it when the machine's name may change or several computes share one "
        "machine; never change it while servers live here.",
    ),
    cfg.StrOpt(
        "state_path",
        default=default_state_path(),
        sample_default="/var/lib/nova-lite",
        help="Directory for what this host must keep: the SQLite database, images, disks. For others than root it is "
        "~/.local/state/nova-lite. Move it to a large disk. Related: [database] connection.",
    ),
    cfg.ListOpt(
        "enabled_apis",
        default=["osapi_compute"],
        item_type=types.String(choices=["osapi_compute", "metadata"]),
        help="Applications of the Paste file that nova-lite-api serves, each with <name>_listen, <name>_listen_port "
        "and <name>_workers. The metadata service is not part of this release; an application that cannot start is "
        "skipped with an error in the log. Related: enabled_ssl_apis.",
    ),
    cfg.ListOpt(
        "enabled_ssl_apis",
        default=[],
        help="Those of enabled_apis that speak TLS themselves. Related: [wsgi] ssl_cert_file, ssl_key_file.",
    ),
    *_listen("osapi_compute", 8774, "the compute API", "Related: enabled_apis."),
    *_listen("metadata", 8775, "the metadata API", "Related: enabled_apis."),
    cfg.IntOpt(
        "graceful_shutdown_timeout",
        default=60,
        min=0,
        max=3600,
        mutable=True,
        help="Seconds that a daemon told to end gives to the requests and messages it is working on; an idle one ends "
        "at once. Work that is cut off is resumed by the next start. Keep systemd's TimeoutStopSec above it.",
    ),
    cfg.IntOpt(
        "reclaim_instance_interval",
        default=0,
        min=0,
        max=100 * 365 * 24 * 3600,
        help="Seconds that a deleted server is only switched off and can be restored; then it is gone. 0 deletes at "
        "once. Set it where people delete by mistake; the API and the conductor must have the same.",
    ),
    cfg.StrOpt(
        "running_deleted_instance_action",
        default="reap",
        choices=[
            ("noop", "nothing"),
            ("log", "a warning in the log"),
            ("shutdown", "its power is cut, it is kept and can be found with nova-lite-manage quarantine list"),
            ("reap", "it is removed with its disks"),
        ],
        help="What a host does with a guest that it finds although its server is deleted, as when the delete was done "
        "while the host was down. Set it where nothing may be removed unattended.",
    ),
    cfg.BoolOpt(
        "allow_resize_to_same_host",
        default=False,
        help="Whether a server may be resized on the host where it is. Set it where a cloud has one host, which could "
        "resize nothing without it.",
    ),
    cfg.IntOpt(
        "resize_confirm_window",
        default=0,
        min=0,
        max=100 * 365 * 24 * 3600,
        help="Seconds after which a resized server that nobody confirmed or reverted is confirmed; 0 is never. Set it "
        "where users forget, for both hosts keep the server's disks until then.",
    ),
    cfg.StrOpt(
        "concurrency_backend",
        default="eventlet",
        choices=[
            ("eventlet", "green threads in one native thread"),
            ("threading", "native threads; eventlet cannot even be imported"),
        ],
        help="How a process does several things at once. It is read before everything else, also from the environment "
        "variable NOVA_LITE_CONCURRENCY_BACKEND. Change it where long computations must not delay other requests.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS)
