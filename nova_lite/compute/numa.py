"""The NUMA layout that a flavor asks for: how a guest's CPUs and memory are divided into nodes. Pure.

Source: the extra specs hw:numa_nodes, hw:numa_cpus.N, hw:numa_mem.N and hw:mem_page_size, or the image's properties of
the same names with underscores, which count where the flavor says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nova_lite.objects import Flavor, ImageMeta

_PAGE_WORDS = {"small": 4, "large": 2048}
_UNITS = {"KB": 1, "KIB": 1, "MB": 1024, "MIB": 1024, "GB": 1024**2, "GIB": 1024**2}


@dataclass(frozen=True)
class Node:
    """One guest node."""

    id: int
    cpus: tuple[int, ...]
    memory_mb: int


@dataclass(frozen=True)
class Layout:
    """No nodes: the flavor asks for none, or for something that cannot be. ``page_kb`` None: whatever the host has."""

    nodes: tuple[Node, ...] = ()
    page_kb: int | None = None


def layout(flavor: Flavor, image: ImageMeta | None) -> Layout:
    """What the guest shall be like."""
    wishes = _wishes(flavor, image)
    page_kb = _page_kb(wishes.get("mem_page_size"))
    number = _number(wishes.get("numa_nodes")) or (1 if page_kb is not None else 0)
    if not 0 < number <= flavor.vcpus:
        return Layout()
    cpus = [_cpus(wishes.get(f"numa_cpus.{each}")) for each in range(number)]
    memory = [_number(wishes.get(f"numa_mem.{each}")) for each in range(number)]
    if not any(cpus) and flavor.vcpus % number == 0:
        share = flavor.vcpus // number
        cpus = [tuple(range(each * share, (each + 1) * share)) for each in range(number)]
    if not any(memory) and flavor.memory_mb % number == 0:
        memory = [flavor.memory_mb // number] * number
    if sorted(cpu for part in cpus for cpu in part) != list(range(flavor.vcpus)) or sum(memory) != flavor.memory_mb:
        return Layout()
    return Layout(tuple(Node(each, cpus[each], memory[each]) for each in range(number)), page_kb)


def _wishes(flavor: Flavor, image: ImageMeta | None) -> Mapping[str, str]:
    properties = image.properties if image else {}
    of_image = {key.removeprefix("hw_"): str(value) for key, value in properties.items() if key.startswith("hw_")}
    of_flavor = {key.removeprefix("hw:"): str(value) for key, value in flavor.extra_specs.items() if key[:3] == "hw:"}
    return of_image | of_flavor


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0


def _cpus(text: str | None) -> tuple[int, ...]:
    """``0-2,5`` as numbers; ``^1`` takes one away. Nothing where it is not understood."""
    found: set[int] = set()
    without: set[int] = set()
    for part in (text or "").split(","):
        first, _, last = part.strip().removeprefix("^").partition("-")
        if not first.isdecimal() or not (last or first).isdecimal() or len(first + last) > 8:
            return ()
        numbers = range(int(first), min(int(last or first), int(first) + 4096) + 1)
        (without if part.strip().startswith("^") else found).update(numbers)
    return tuple(sorted(found - without))


def _page_kb(text: str | None) -> int | None:
    if not text or text == "any":
        return None
    if text in _PAGE_WORDS:
        return _PAGE_WORDS[text]
    digits = text.rstrip("KMGiBkmgb")
    factor = _UNITS.get(text[len(digits):].upper(), 1)
    return _number(digits) * factor or None
