"""Elements of <devices>; see libvirt's formatdomain, "Devices"."""

from __future__ import annotations

from dataclasses import dataclass

from nova_lite.virt.libvirt.xml.element import Element, Flag, at, inside


@dataclass(frozen=True)
class BackingStore(Element):
    """What lies under a disk, spelled out so that libvirt never probes a file's header; empty ends the chain."""

    TAG = "backingStore"
    type: str | None = at("@type", None)
    format: str | None = at("format/@type", None)
    source_file: str | None = at("source/@file", None)
    below: BackingStore | None = inside()


@dataclass(frozen=True)
class Disk(Element):
    TAG = "disk"
    source_file: str = at("source/@file")
    target_dev: str = at("target/@dev")
    target_bus: str = at("target/@bus")
    driver_type: str = at("driver/@type")
    driver_name: str = at("driver/@name", "qemu")
    cache: str | None = at("driver/@cache", None)
    discard: str | None = at("driver/@discard", None)
    type: str = at("@type", "file")
    device: str = at("@device", "disk")
    backing_store: BackingStore | None = inside()
    read_only: str | None = at("readonly", None)
    boot_order: int | None = at("boot/@order", None)


@dataclass(frozen=True)
class Controller(Element):
    TAG = "controller"
    type: str = at("@type")
    index: int = at("@index", 0)
    model: str | None = at("@model", None)


@dataclass(frozen=True)
class Interface(Element):
    TAG = "interface"
    type: str = at("@type")
    mac: str = at("mac/@address")
    source_bridge: str | None = at("source/@bridge", None)
    virtualport_type: str | None = at("virtualport/@type", None)
    virtualport_interface_id: str | None = at("virtualport/parameters/@interfaceid", None)
    target_dev: str | None = at("target/@dev", None)
    model: str = at("model/@type", "virtio")
    mtu: int | None = at("mtu/@size", None)
    rom_enabled: Flag | None = at("rom/@enabled", None)


@dataclass(frozen=True)
class Serial(Element):
    """libvirt adds the <console> that mirrors the first one by itself."""

    TAG = "serial"
    type: str = at("@type", "pty")
    log_file: str | None = at("log/@file", None)
    log_append: Flag | None = at("log/@append", None)
    target_port: int = at("target/@port", 0)


@dataclass(frozen=True)
class Channel(Element):
    TAG = "channel"
    type: str = at("@type", "unix")
    target_type: str = at("target/@type", "virtio")
    target_name: str = at("target/@name", "org.qemu.guest_agent.0")


@dataclass(frozen=True)
class Input(Element):
    TAG = "input"
    type: str = at("@type", "tablet")
    bus: str = at("@bus", "usb")


@dataclass(frozen=True)
class Graphics(Element):
    TAG = "graphics"
    type: str = at("@type", "vnc")
    autoport: Flag = at("@autoport", Flag.YES)
    listen_type: str = at("listen/@type", "address")
    listen_address: str = at("listen/@address", "127.0.0.1")


@dataclass(frozen=True)
class Video(Element):
    TAG = "video"
    model: str = at("model/@type", "vga")


@dataclass(frozen=True)
class Rng(Element):
    TAG = "rng"
    model: str = at("@model", "virtio")
    backend_model: str = at("backend/@model", "random")
    backend: str = at("backend", "/dev/urandom")


@dataclass(frozen=True)
class MemBalloon(Element):
    """``period_s``: seconds between the guest's reports of its memory."""

    TAG = "memballoon"
    model: str = at("@model", "virtio")
    period_s: int | None = at("stats/@period", None)
