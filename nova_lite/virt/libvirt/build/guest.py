"""A server becomes a domain: one configurator a concern, in order, each a pure function."""

from __future__ import annotations

from collections.abc import Callable

from nova_lite.virt.libvirt.build.boot import boot
from nova_lite.virt.libvirt.build.consoles import display, serial
from nova_lite.virt.libvirt.build.identity import guest_name, identity
from nova_lite.virt.libvirt.build.interfaces import interfaces
from nova_lite.virt.libvirt.build.paravirtual import agent, balloon, rng
from nova_lite.virt.libvirt.build.platform import clock, features
from nova_lite.virt.libvirt.build.processing import cpu, memory
from nova_lite.virt.libvirt.build.request import GuestRequest
from nova_lite.virt.libvirt.build.storage import disks
from nova_lite.virt.libvirt.xml.domain import Domain

Configurator = Callable[[GuestRequest, Domain], Domain]

CONFIGURATORS: tuple[Configurator, ...] = (
    identity, memory, cpu, boot, features, clock, disks, interfaces, serial, display, rng, balloon, agent,
)  # fmt: skip


def build_domain(request: GuestRequest) -> Domain:
    """The domain of a server on this host."""
    uuid = request.instance.uuid
    domain = Domain(type=request.virt_type, uuid=uuid, name=guest_name(uuid))
    for configure in CONFIGURATORS:
        domain = configure(request, domain)
    return domain
