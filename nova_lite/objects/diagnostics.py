"""Diagnostics: what a hypervisor counts of a running guest."""

from __future__ import annotations

from dataclasses import dataclass

from nova_lite.objects.base import TravellingObject


@dataclass(frozen=True)
class CpuDiagnostics(TravellingObject):
    """``time_ns`` is what the vCPU has run, ``utilisation`` a percentage; None where nobody counts it."""

    id: int
    time_ns: int | None = None
    utilisation: int | None = None


@dataclass(frozen=True)
class DiskDiagnostics(TravellingObject):
    """``device`` is the guest's name of it (vda)."""

    device: str
    read_bytes: int = 0
    read_requests: int = 0
    write_bytes: int = 0
    write_requests: int = 0
    errors_count: int = 0


@dataclass(frozen=True)
class NicDiagnostics(TravellingObject):
    """``device`` is the host's name of it (tap...); rates in octets a second, None where nobody counts them."""

    device: str
    mac_address: str
    rx_octets: int = 0
    rx_packets: int = 0
    rx_errors: int = 0
    rx_drop: int = 0
    rx_rate: int | None = None
    tx_octets: int = 0
    tx_packets: int = 0
    tx_errors: int = 0
    tx_drop: int = 0
    tx_rate: int | None = None


@dataclass(frozen=True)
class Diagnostics(TravellingObject):
    """``state`` is a word of Nova's: pending, running, paused, shutdown, crashed, suspended. ``uptime_s``: its own."""

    state: str
    driver: str
    hypervisor: str
    hypervisor_os: str
    memory_maximum_mb: int
    memory_used_mb: int
    config_drive: bool
    uptime_s: int | None = None
    cpus: tuple[CpuDiagnostics, ...] = ()
    disks: tuple[DiskDiagnostics, ...] = ()
    nics: tuple[NicDiagnostics, ...] = ()
