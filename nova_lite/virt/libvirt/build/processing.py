"""Memory and processors."""

from __future__ import annotations

from dataclasses import replace

from nova_lite.virt.libvirt.build.request import GuestRequest
from nova_lite.virt.libvirt.xml.domain import Cpu, Domain, Memory, Vcpu


def memory(request: GuestRequest, domain: Domain) -> Domain:
    return replace(domain, memory=Memory(request.instance.flavor.memory_mb))


def cpu(request: GuestRequest, domain: Domain) -> Domain:
    """One socket a vCPU, as Nova does without hints: every guest system takes that many sockets but old desktops."""
    vcpus = request.instance.flavor.vcpus
    return replace(domain, vcpu=Vcpu(vcpus), cpu=Cpu(mode=cpu_mode(request), sockets=vcpus, cores=1, threads=1))


def cpu_mode(request: GuestRequest) -> str | None:
    """None is the hypervisor's own default; a host's CPU can only be had under kvm."""
    mode = request.options.cpu_mode
    if request.virt_type != "kvm" or mode == "none":
        return None
    return "host-model" if mode == "auto" else mode
