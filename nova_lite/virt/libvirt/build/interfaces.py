"""Network interfaces, by the way each is plugged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nova_lite import exception
from nova_lite.objects import Vif
from nova_lite.virt.libvirt.build.request import GuestRequest
from nova_lite.virt.libvirt.xml.devices import Interface
from nova_lite.virt.libvirt.xml.domain import Domain
from nova_lite.virt.libvirt.xml.element import Flag


def interfaces(request: GuestRequest, domain: Domain) -> Domain:
    found = tuple(_element(request, vif) for vif in request.vifs if vif.type != "none")
    return replace(domain, interfaces=found)


def _element(request: GuestRequest, vif: Vif) -> Interface:
    if vif.type not in PLUGS:
        raise exception.BuildFailed(
            instance_uuid=request.instance.uuid, reason=f"interfaces of type {vif.type!r} are not supported here"
        )
    # The network boot ROM costs a third of a CPU second a boot and no disk of ours boots from the network.
    plain = Interface("user", vif.mac, model=request.properties.vif_model or "virtio", rom_enabled=Flag.NO)
    return PLUGS[vif.type](vif, plain)


def _user(vif: Vif, plain: Interface) -> Interface:
    return plain


def _bridge(vif: Vif, plain: Interface) -> Interface:
    return replace(plain, type="bridge", source_bridge=vif.bridge, target_dev=tap_name(vif), mtu=vif.mtu)


def _ovs(vif: Vif, plain: Interface) -> Interface:
    return replace(_bridge(vif, plain), virtualport_type="openvswitch", virtualport_interface_id=vif.id)


PLUGS: dict[str, Callable[[Vif, Interface], Interface]] = {"user": _user, "bridge": _bridge, "ovs": _ovs}


def tap_name(vif: Vif) -> str:
    """The tap's name on the host, as Neutron's agents expect it; the kernel takes 15 characters."""
    return f"tap{vif.id}"[:14]
