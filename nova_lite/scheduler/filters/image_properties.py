"""ImagePropertiesFilter: the hypervisor supports the image's architecture, hypervisor type and machine mode.

Properties: ``hw_architecture``, ``img_hv_type`` and ``hw_vm_mode``, with their older names beside them. An image
without them runs anywhere; a host that lists nothing supports nothing that was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from nova_lite.objects import RequestSpec
from nova_lite.scheduler.base import Filter
from nova_lite.scheduler.host_state import HostState

# The parts of one supported instance, in its order, with the property's names, newest first.
PROPERTIES: tuple[tuple[str, ...], ...] = (
    ("hw_architecture", "img_architecture", "architecture"),
    ("img_hv_type", "hypervisor_type"),
    ("hw_vm_mode", "vm_mode"),
)
SYNONYMS = {"amd64": "x86_64", "x64": "x86_64", "i386": "i686", "i486": "i686", "i586": "i686", "arm64": "aarch64"}

Wanted = tuple[str | None, str | None, str | None]


def wanted(spec: RequestSpec) -> Wanted:
    """(architecture, hypervisor type, machine mode) of the image, None where it does not mind."""
    properties = spec.image.properties if spec.image is not None else {}
    found: list[str | None] = []
    for names in PROPERTIES:
        value = next((properties[name] for name in names if properties.get(name)), None)
        found.append(_canonical(value) if value is not None else None)
    return found[0], found[1], found[2]


def _canonical(value: str) -> str:
    lower = str(value).lower()
    return SYNONYMS.get(lower, lower)


def _supports(supported: tuple[tuple[str, str, str], ...], wish: Wanted) -> bool:
    return any(
        all(want is None or want == _canonical(has) for want, has in zip(wish, each, strict=True)) for each in supported
    )


class ImagePropertiesFilter(Filter):
    name = "ImagePropertiesFilter"
    cost = 40

    def applies(self, spec: RequestSpec) -> bool:
        return any(wanted(spec))

    def passes(self, host: HostState, spec: RequestSpec) -> str | None:
        wish = wanted(spec)
        if not any(wish) or _supports(host.supported_instances, wish):
            return None
        asked = "/".join(part or "any" for part in wish)
        listed = ", ".join("/".join(each) for each in host.supported_instances[:5]) or "nothing"
        more = len(host.supported_instances) - 5
        return f"the image needs {asked}, the hypervisor supports {listed}" + (f" and {more} more" if more > 0 else "")

    def keep(self, hosts: Sequence[HostState], spec: RequestSpec) -> list[HostState]:
        wish = wanted(spec)
        if not any(wish):
            return list(hosts)
        # A fleet has few kinds of hypervisor: judge each kind once.
        verdicts = {supported: _supports(supported, wish) for supported in {host.supported_instances for host in hosts}}
        return [host for host in hosts if verdicts[host.supported_instances]]
