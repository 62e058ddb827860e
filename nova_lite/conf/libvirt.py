"""[libvirt]: QEMU and KVM guests through libvirt."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "libvirt"

OPTIONS = [
    cfg.StrOpt(
        "uri",
        help="The libvirt connection. Unset: qemu:///system for root, qemu:///session for another user. Set it for a "
        "libvirtd of one's own, such as 'bin/nova-lite-libvirtd uri DIR' prints. Related: virt_type.",
    ),
    cfg.StrOpt(
        "virt_type",
        default="auto",
        choices=[
            ("auto", "kvm where it works, else qemu"),
            ("kvm", "hardware virtualisation; falls back to qemu, with a warning, where the host has none"),
            ("qemu", "emulation, which runs everywhere"),
        ],
        help="How guests are run. Set 'qemu' where nested virtualisation is offered but broken. Related: cpu_mode.",
    ),
    cfg.StrOpt(
        "cpu_mode",
        default="auto",
        choices=[
            ("auto", "host-model under kvm, the hypervisor's default under qemu"),
            ("host-model", "the named model nearest to the host's CPU"),
            ("host-passthrough", "the host's CPU as it is; guests move only between equal hosts"),
            ("none", "the hypervisor's default"),
        ],
        help="The CPU that guests see. Set it when hosts differ or guests need a feature. Related: virt_type.",
    ),
    cfg.StrOpt(
        "machine_type",
        help="QEMU machine type of guests whose image has no hw_machine_type. Unset: pc on x86_64, virt on aarch64. "
        "Set it to q35 for PCI Express guests.",
    ),
    cfg.StrOpt(
        "instances_path",
        default="$state_path/instances",
        help="Directory of guests' disks, console logs and cached base images. Set it to put them on a disk of their "
        "own. Related: [DEFAULT] state_path.",
    ),
    cfg.StrOpt(
        "base_format",
        default="raw",
        choices=[
            ("raw", "unpacked once: fastest, and QEMU never reads a foreign image header again"),
            ("keep", "as the image service has it: smaller"),
        ],
        help="How images rest in the cache under the guests' overlays. Set 'keep' where disk space is short.",
    ),
    cfg.IntOpt(
        "base_unused_hours",
        default=24,
        min=1,
        max=24 * 365,
        help="Hours after which a cached base image that no guest uses is removed. Raise it to download less often.",
    ),
    cfg.IntOpt(
        "max_virtual_size_gb",
        default=2048,
        min=1,
        max=1024 * 1024,
        help="Largest virtual size (GiB) of an image used by a flavor without a root disk size, which therefore sets "
        "no limit itself. Lower it to what one guest may fill.",
    ),
    cfg.IntOpt(
        "qemu_img_timeout_s",
        default=600,
        min=5,
        max=86400,
        help="Seconds of time, and of CPU time, one qemu-img may take. Raise it for very large images on slow disks. "
        "Related: qemu_img_memory_mb.",
    ),
    cfg.IntOpt(
        "qemu_img_memory_mb",
        default=1024,
        min=256,
        max=65536,
        help="Address space (MiB) one qemu-img may take: hostile images ask for more. Related: qemu_img_timeout_s.",
    ),
    cfg.IntOpt(
        "reconnect_wait_s",
        default=5,
        min=0,
        max=300,
        help="Seconds a call waits for a libvirtd that has gone away before it fails. Raise it where libvirtd restarts "
        "slowly.",
    ),
    cfg.IntOpt(
        "keepalive_s",
        default=5,
        min=1,
        max=300,
        help="Seconds between questions to a silent libvirtd; after five unanswered ones the connection counts as "
        "broken. Raise it on hosts under heavy load.",
    ),
    cfg.IntOpt(
        "console_log_max_mb",
        default=16,
        min=1,
        max=4096,
        help="Size (MiB) at which a guest's console log is cut to its last half. Raise it to keep more history.",
    ),
    cfg.IntOpt(
        "tb_cache_mb",
        default=32,
        min=0,
        max=4096,
        help="Translation cache (MiB) of an emulated guest; 0 leaves it to QEMU, which takes up to 1 GiB. Raise it for "
        "few and busy guests. Related: virt_type.",
    ),
    cfg.BoolOpt(
        "force_config_drive",
        default=True,
        help="Give every guest a config drive, where this host can make one. Without it a guest asks 169.254.169.254, "
        "which through a user-mode network is whatever the host itself reaches there. Unset it where a metadata "
        "service of this cloud answers the guests.",
    ),
    cfg.BoolOpt(
        "vnc_enabled",
        default=True,
        help="Give guests a display, reachable by VNC. Unset it to save some memory a guest. Related: vnc_listen.",
    ),
    cfg.IPOpt(
        "vnc_listen",
        default="127.0.0.1",
        help="Address on which guests' VNC servers listen; they ask for no password. Set it to an address of a private "
        "network that only the console proxy reaches. Related: vnc_enabled.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
