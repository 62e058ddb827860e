"""What the libvirt room needs to know, read from the configuration once and passed on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

MIB = 1024 * 1024
GIB = 1024 * MIB


@dataclass(frozen=True)
class Options:
    """The [libvirt] options, resolved; see ``nova_lite/conf/libvirt.py`` for what each means."""

    instances_path: str
    host: str = "localhost"
    uri: str = "qemu:///system"
    virt_type: str = "auto"
    cpu_mode: str = "auto"
    machine_type: str | None = None
    base_format: str = "raw"
    base_unused_hours: int = 24
    max_virtual_size_gb: int = 2048
    qemu_img_timeout_s: int = 600
    qemu_img_memory_mb: int = 1024
    reconnect_wait_s: int = 5
    keepalive_s: int = 5
    console_log_max_mb: int = 16
    tb_cache_mb: int = 32
    force_config_drive: bool = True
    vnc_enabled: bool = True
    vnc_listen: str = "127.0.0.1"
    host_ip: str | None = None


def default_uri(effective_uid: int) -> str:
    """The system's libvirtd for root, the user's own for anybody else."""
    return "qemu:///system" if effective_uid == 0 else "qemu:///session"


def from_conf(conf: Any, host: str) -> Options:
    """Read the [libvirt] group and, where it is registered, [DEFAULT] my_ip.

    :param host: the compute service's name; several may run on one machine, each with a libvirtd of its own.
    """
    group = conf.libvirt
    own = ("instances_path", "host", "uri", "host_ip")
    names = [name for name in Options.__dataclass_fields__ if name not in own]
    return Options(
        host=host,
        instances_path=os.path.abspath(os.path.expanduser(group.instances_path)),
        uri=group.uri or default_uri(os.geteuid()),
        host_ip=getattr(conf, "my_ip", None),
        **{name: getattr(group, name) for name in names},
    )
