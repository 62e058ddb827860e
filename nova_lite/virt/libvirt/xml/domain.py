"""Elements of <domain> outside its devices; see libvirt's formatdomain."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import ClassVar

from nova_lite.virt.libvirt.xml.devices import (
    Channel,
    Controller,
    Disk,
    Graphics,
    Input,
    Interface,
    MemBalloon,
    Rng,
    Serial,
    Video,
)
from nova_lite.virt.libvirt.xml.element import Element, Flag, at, inside

NAMESPACE = "urn:nova-lite:libvirt:domain:1"
ET.register_namespace("nova-lite", NAMESPACE)
# Apart from the mark, which is written with each definition: this one is added to whatever definition there is.
QUARANTINE_NAMESPACE = "urn:nova-lite:libvirt:quarantine:1"
ET.register_namespace("nova-lite-quarantine", QUARANTINE_NAMESPACE)


@dataclass(frozen=True)
class Mark(Element):
    """Our mark in a domain's metadata: whose it is and of which generation; the host acts on nothing without it."""

    TAG = "server"
    NS = NAMESPACE
    uuid: str = at("@uuid")
    generation: int = at("@generation")
    name: str | None = at("name", None)
    project_id: str | None = at("project", None)
    user_id: str | None = at("user", None)
    flavor: str | None = at("flavor", None)
    image_id: str | None = at("image", None)


@dataclass(frozen=True)
class QuarantineNote(Element):
    """Why a domain was stopped and set apart, and since when."""

    TAG = "quarantine"
    NS: ClassVar[str | None] = QUARANTINE_NAMESPACE
    # Attributes: what libvirt gives back of such elements has lost its namespace.
    since: str = at("@since")
    reason: str = at("@reason")


@dataclass(frozen=True)
class Memory(Element):
    TAG = "memory"
    size: int = at(".")
    unit: str = at("@unit", "MiB")


@dataclass(frozen=True)
class Vcpu(Element):
    TAG = "vcpu"
    count: int = at(".")
    placement: str = at("@placement", "static")


@dataclass(frozen=True)
class Os(Element):
    """``firmware`` None is the machine's BIOS; ``kernel`` boots directly, without a boot loader."""

    TAG = "os"
    firmware: str | None = at("@firmware", None)
    type: str = at("type", "hvm")
    arch: str | None = at("type/@arch", None)
    machine: str | None = at("type/@machine", None)
    kernel: str | None = at("kernel", None)
    initrd: str | None = at("initrd", None)
    cmdline: str | None = at("cmdline", None)


@dataclass(frozen=True)
class Features(Element):
    """``acpi`` and ``apic`` are present when not None (their text is empty); ``tb_cache_mib`` is of emulated guests."""

    TAG = "features"
    acpi: str | None = at("acpi", "")
    apic: str | None = at("apic", None)
    tb_cache_unit: str | None = at("tcg/tb-cache/@unit", None)
    tb_cache_mib: int | None = at("tcg/tb-cache", None)


@dataclass(frozen=True)
class Cpu(Element):
    TAG = "cpu"
    mode: str | None = at("@mode", None)
    sockets: int | None = at("topology/@sockets", None)
    cores: int | None = at("topology/@cores", None)
    threads: int | None = at("topology/@threads", None)


@dataclass(frozen=True)
class Timer(Element):
    TAG = "timer"
    name: str = at("@name")
    tickpolicy: str | None = at("@tickpolicy", None)
    present: Flag | None = at("@present", None)


@dataclass(frozen=True)
class Clock(Element):
    TAG = "clock"
    offset: str = at("@offset", "utc")
    timers: tuple[Timer, ...] = inside("", ())


@dataclass(frozen=True)
class Domain(Element):
    TAG = "domain"
    type: str = at("@type")
    uuid: str = at("uuid")
    name: str = at("name")
    mark: Mark | None = inside("metadata")
    memory: Memory | None = inside()
    vcpu: Vcpu | None = inside()
    os: Os | None = inside()
    features: Features | None = inside()
    cpu: Cpu | None = inside()
    clock: Clock | None = inside()
    on_poweroff: str = at("on_poweroff", "destroy")
    on_reboot: str = at("on_reboot", "restart")
    on_crash: str = at("on_crash", "destroy")
    disks: tuple[Disk, ...] = inside("devices", ())
    controllers: tuple[Controller, ...] = inside("devices", ())
    interfaces: tuple[Interface, ...] = inside("devices", ())
    serials: tuple[Serial, ...] = inside("devices", ())
    channels: tuple[Channel, ...] = inside("devices", ())
    inputs: tuple[Input, ...] = inside("devices", ())
    graphics: tuple[Graphics, ...] = inside("devices", ())
    videos: tuple[Video, ...] = inside("devices", ())
    rngs: tuple[Rng, ...] = inside("devices", ())
    memballoon: MemBalloon | None = inside("devices")
