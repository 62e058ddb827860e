"""What is read of a host's capabilities document; see libvirt's formatcaps."""

from __future__ import annotations

from dataclasses import dataclass

from nova_lite.virt.libvirt.xml.element import Element, at, inside


@dataclass(frozen=True)
class Feature(Element):
    TAG = "feature"
    name: str = at("@name")


@dataclass(frozen=True)
class HostCpu(Element):
    TAG = "cpu"
    arch: str = at("arch", "")
    model: str | None = at("model", None)
    vendor: str | None = at("vendor", None)
    sockets: int | None = at("topology/@sockets", None)
    cores: int | None = at("topology/@cores", None)
    threads: int | None = at("topology/@threads", None)
    features: tuple[Feature, ...] = inside("", ())


@dataclass(frozen=True)
class BaseLabel(Element):
    """``label`` of model dac is ``+uid:+gid`` of the QEMU processes."""

    TAG = "baselabel"
    type: str = at("@type")
    label: str = at(".", "")


@dataclass(frozen=True)
class SecModel(Element):
    TAG = "secmodel"
    model: str = at("model", "")
    labels: tuple[BaseLabel, ...] = inside("", ())


@dataclass(frozen=True)
class GuestDomain(Element):
    TAG = "domain"
    type: str = at("@type")


@dataclass(frozen=True)
class GuestKind(Element):
    TAG = "guest"
    os_type: str = at("os_type")
    arch: str = at("arch/@name")
    domains: tuple[GuestDomain, ...] = inside("arch", ())


@dataclass(frozen=True)
class Capabilities(Element):
    TAG = "capabilities"
    cpu: HostCpu | None = inside("host")
    secmodels: tuple[SecModel, ...] = inside("host", ())
    guests: tuple[GuestKind, ...] = inside("", ())
