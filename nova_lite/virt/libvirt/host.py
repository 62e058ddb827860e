"""The host as its hypervisor sees it: what it has, what it can run, which guests it has."""

from __future__ import annotations

import os
from typing import Any

import libvirt

from nova_lite import concurrency
from nova_lite.virt.driver import Inventory
from nova_lite.virt.libvirt import virttype
from nova_lite.virt.libvirt.connection import Connection
from nova_lite.virt.libvirt.guest import Guest, Sight, look_at_all
from nova_lite.virt.libvirt.options import GIB, Options
from nova_lite.virt.libvirt.xml.capabilities import Capabilities
from nova_lite.virt.libvirt.xml.element import from_xml


class Host:
    def __init__(self, connection: Connection, options: Options) -> None:
        self._connection = connection
        self._options = options
        self._capabilities: Capabilities | None = None
        self._virt_type: str | None = None

    # -- what it is -----------------------------------------------------------------------------------

    def capabilities(self) -> Capabilities:
        """Asked once: they change only with libvirt or the machine."""
        if self._capabilities is None:
            self._capabilities = from_xml(Capabilities, self._connection.call("getCapabilities"))
        return self._capabilities

    @property
    def arch(self) -> str:
        cpu = self.capabilities().cpu
        return cpu.arch if cpu else os.uname().machine

    @property
    def virt_type(self) -> str:
        """kvm or qemu."""
        if self._virt_type is None:
            self._virt_type = virttype.of_host(self._options.virt_type, self.arch)
        return self._virt_type

    def qemu_is_another_user(self) -> bool:
        """QEMU processes run under another user id than ours, and so cannot pass through our private directories."""
        for model in self.capabilities().secmodels:
            for label in model.labels if model.model == "dac" else ():
                if label.type == "qemu":
                    uid = label.label.partition(":")[0].lstrip("+")
                    return uid.isdigit() and int(uid) not in (0, os.geteuid())
        return False

    def inventory(self, overcommitted_bytes: int) -> Inventory:
        """:param overcommitted_bytes: what the guests' disks may still grow by."""
        _, memory_mb, vcpus, *_ = self._connection.call("getInfo")
        space = concurrency.run_blocking(os.statvfs, self._options.instances_path)
        free = space.f_bavail * space.f_frsize
        return Inventory(
            hypervisor_hostname=self._options.host,  # not libvirt's: several hosts may share a machine
            hypervisor_type=self._connection.call("getType"),
            hypervisor_version=self._connection.call("getVersion"),
            vcpus=vcpus,
            memory_mb=memory_mb,
            local_gb=space.f_blocks * space.f_frsize // GIB,
            cpu_info=self._cpu_info(),
            supported_instances=self._supported_instances(),
            disk_available_least=(free - overcommitted_bytes) // GIB,
            host_ip=self._options.host_ip,
            running_vms=self._connection.call("numOfDomains"),
        )

    def _cpu_info(self) -> dict[str, Any]:
        cpu = self.capabilities().cpu
        if cpu is None:
            return {}
        return {
            "arch": cpu.arch,
            "model": cpu.model,
            "vendor": cpu.vendor,
            "topology": {"sockets": cpu.sockets, "cores": cpu.cores, "threads": cpu.threads},
            "features": sorted(feature.name for feature in cpu.features),
        }

    def _supported_instances(self) -> tuple[tuple[str, str, str], ...]:
        """(architecture, virt type, os type) that guests of this host have; kvm for none where it does not work."""
        found = []
        for kind in self.capabilities().guests:
            types = {domain.type for domain in kind.domains}
            if virttype.QEMU in types:
                found.append((kind.arch, virttype.QEMU, kind.os_type))
            if virttype.KVM in types and self.virt_type == virttype.KVM:
                found.append((kind.arch, virttype.KVM, kind.os_type))
        return tuple(found)

    # -- its guests -----------------------------------------------------------------------------------

    def guests(self) -> tuple[Sight, ...]:
        """Every domain, at one look."""
        found: tuple[Sight, ...] = self._connection.apply(look_at_all)
        return found

    def guest(self, instance_uuid: str) -> Guest:
        """The server's guest, whether it exists or not."""
        return Guest(self._connection, instance_uuid)

    def define(self, xml: str) -> None:
        """Make the definition or replace it; a running guest takes it at its next start."""
        self._connection.call("defineXMLFlags", xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
