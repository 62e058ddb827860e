"""[compute]: the host that runs guests."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "compute"

OPTIONS = [
    cfg.StrOpt(
        "driver",
        default="auto",
        choices=[
            ("auto", "libvirt; where it does not answer, a nova-lite-compute ends and the all-in-one takes fake"),
            ("libvirt", "QEMU/KVM through libvirt"),
            ("fake", "guests that exist in name only"),
        ],
        help="The hypervisor driver. Set it when 'auto' should not guess. Related: [libvirt] uri.",
    ),
    cfg.FloatOpt(
        "cpu_allocation_ratio",
        default=4.0,
        min=0.1,
        max=10000.0,
        help="vCPUs sold for each physical CPU. Raise it for idle guests, lower it to 1 for busy ones.",
    ),
    cfg.FloatOpt(
        "ram_allocation_ratio",
        default=1.0,
        min=0.1,
        max=10000.0,
        help="MiB of memory sold for each MiB there is. Raise it only where the host can swap or share pages.",
    ),
    cfg.FloatOpt(
        "disk_allocation_ratio",
        default=1.0,
        min=0.1,
        max=10000.0,
        help="GiB of disk sold for each GiB there is. Raise it where guests leave their disks empty.",
    ),
    cfg.IntOpt(
        "reserved_host_cpus",
        default=0,
        min=0,
        max=2**31 - 1,
        help="Physical CPUs that are not sold. Set it where the host has other work to do.",
    ),
    cfg.IntOpt(
        "reserved_host_memory_mb",
        default=512,
        min=0,
        max=2**31 - 1,
        help="Memory in MiB that is kept for the host itself. Raise it where the host has other work to do.",
    ),
    cfg.IntOpt(
        "reserved_host_disk_mb",
        default=0,
        min=0,
        max=2**31 - 1,
        help="Disk in MiB that is kept for the host itself. Raise it where images and logs share its disk.",
    ),
    cfg.FloatOpt(
        "inventory_interval_s",
        default=60.0,
        min=1,
        max=86400.0,
        help="Seconds between two reports of what the host has. Lower it where disks fill fast.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
