"""Small virtio devices that make a guest a good citizen: entropy, balloon, the guest agent's channel."""

from __future__ import annotations

from dataclasses import replace

from nova_lite.virt.libvirt.build.request import GuestRequest
from nova_lite.virt.libvirt.xml.devices import Channel, MemBalloon, Rng
from nova_lite.virt.libvirt.xml.domain import Domain

STATS_PERIOD_S = 10


def rng(request: GuestRequest, domain: Domain) -> Domain:
    """Entropy for all, unless the flavor says otherwise (hw_rng:allowed, as in Nova)."""
    if request.instance.flavor.extra_specs.get("hw_rng:allowed", "true").lower() == "false":
        return domain
    return replace(domain, rngs=(Rng(model=request.properties.rng_model or "virtio"),))


def balloon(request: GuestRequest, domain: Domain) -> Domain:
    return replace(domain, memballoon=MemBalloon(period_s=STATS_PERIOD_S))


def agent(request: GuestRequest, domain: Domain) -> Domain:
    if request.properties.guest_agent != "yes":
        return domain
    return replace(domain, channels=(Channel(),))
