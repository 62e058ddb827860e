"""[compute]: the host that runs guests."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "compute"

OPTIONS = [
    cfg.StrOpt(
        "driver",
        default="auto",
        choices=[
            ("auto", "libvirt where QEMU and libvirt answer, else fake"),
            ("libvirt", "QEMU/KVM through libvirt"),
            ("fake", "guests that exist in memory only"),
        ],
        help="The hypervisor driver. Set it when 'auto' should not guess. Related: [libvirt] uri.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
