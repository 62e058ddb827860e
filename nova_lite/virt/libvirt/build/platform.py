"""What every machine has: power management, interrupt controllers, clocks."""

from __future__ import annotations

from dataclasses import replace

from nova_lite.virt.libvirt.build.request import GuestRequest
from nova_lite.virt.libvirt.xml.domain import Clock, Domain, Features, Timer
from nova_lite.virt.libvirt.xml.element import Flag


def features(request: GuestRequest, domain: Domain) -> Domain:
    x86 = request.arch in ("x86_64", "i686")
    cache = request.options.tb_cache_mb if request.virt_type == "qemu" else 0
    return replace(
        domain,
        features=Features(
            apic="" if x86 else None,
            tb_cache_unit="MiB" if cache else None,
            tb_cache_mib=cache or None,
        ),
    )


def clock(request: GuestRequest, domain: Domain) -> Domain:
    """UTC; timers that lose no ticks on a busy host. HPET costs more than it gives (libvirt's own advice)."""
    timers: tuple[Timer, ...] = ()
    if request.arch in ("x86_64", "i686"):
        timers = (
            Timer("pit", tickpolicy="delay"),
            Timer("rtc", tickpolicy="catchup"),
            Timer("hpet", present=Flag.NO),
        )
    return replace(domain, clock=Clock(timers=timers))
