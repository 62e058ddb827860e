"""Every field of every element is set by some guest or read from some document: a field nothing uses is no field."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from nova_lite.virt.libvirt.build.guest import build_domain
from nova_lite.virt.libvirt.xml import capabilities, devices, domain
from nova_lite.virt.libvirt.xml.element import Element, from_xml, to_xml
from tests.unit.virt.libvirt.build.requests import KINDS

CAPABILITIES = """
<capabilities>
  <host>
    <uuid>61b68d0b-3be6-4ea7-8892-91e65b03809a</uuid>
    <cpu>
      <arch>x86_64</arch><model>EPYC</model><vendor>AMD</vendor>
      <topology sockets='1' dies='1' cores='2' threads='4'/>
      <feature name='vme'/><feature name='ht'/>
    </cpu>
    <secmodel><model>none</model><doi>0</doi></secmodel>
    <secmodel>
      <model>dac</model><doi>0</doi>
      <baselabel type='kvm'>+64055:+108</baselabel><baselabel type='qemu'>+64055:+108</baselabel>
    </secmodel>
  </host>
  <guest><os_type>hvm</os_type><arch name='i686'><wordsize>32</wordsize><domain type='qemu'/></arch></guest>
  <guest>
    <os_type>hvm</os_type><arch name='x86_64'><domain type='qemu'/><domain type='kvm'/></arch>
  </guest>
</capabilities>
"""


def read_capabilities() -> capabilities.Capabilities:
    return from_xml(capabilities.Capabilities, CAPABILITIES)


def _used(value: Any) -> set[tuple[str, str]]:
    """(class, field) of every field that holds something, all the way down."""
    found: set[tuple[str, str]] = set()
    for each in value if isinstance(value, tuple) else (value,):
        if isinstance(each, Element):
            for field in dataclasses.fields(each):  # type: ignore[arg-type]
                held = getattr(each, field.name)
                if held is not None and held != ():
                    found.add((type(each).__name__, field.name))
                    found |= _used(held)
    return found


def _declared() -> list[tuple[str, str]]:
    return [
        (name, field.name)
        for module in (domain, devices, capabilities)
        for name, kind in vars(module).items()
        if isinstance(kind, type) and issubclass(kind, Element) and kind.__module__ == module.__name__
        for field in dataclasses.fields(kind)  # type: ignore[arg-type]
    ]


NOTE = domain.QuarantineNote(since="2026-01-02T03:04:05", reason="nobody's")


def test_every_declared_field_is_used() -> None:
    used = _used(read_capabilities()) | _used(NOTE)
    for request in KINDS.values():
        used |= _used(build_domain(request))
    assert [pair for pair in _declared() if pair not in used] == []
    assert len(_declared()) > 90


def test_capabilities_are_read() -> None:
    found = read_capabilities()
    assert found.cpu == capabilities.HostCpu(
        "x86_64", "EPYC", "AMD", 1, 2, 4, (capabilities.Feature("vme"), capabilities.Feature("ht"))
    )
    assert [model.model for model in found.secmodels] == ["none", "dac"]
    assert found.secmodels[1].labels[1] == capabilities.BaseLabel("qemu", "+64055:+108")
    assert [(kind.arch, [each.type for each in kind.domains]) for kind in found.guests] == [
        ("i686", ["qemu"]), ("x86_64", ["qemu", "kvm"]),
    ]  # fmt: skip


def test_the_note_of_a_quarantine_comes_back_as_it_was_written() -> None:
    text = to_xml(NOTE)
    assert f'xmlns:nova-lite-quarantine="{domain.QUARANTINE_NAMESPACE}"' in text
    assert from_xml(domain.QuarantineNote, text) == NOTE
    with pytest.raises(ValueError, match="since"):
        from_xml(domain.QuarantineNote, text.replace("since=", "until="))


def test_the_mark_is_read_from_what_libvirt_gives_back() -> None:
    text = f"<nova-lite:server xmlns:nova-lite='{domain.NAMESPACE}' uuid='u' generation='3'/>"
    assert from_xml(domain.Mark, text) == domain.Mark("u", 3)
    with pytest.raises(ValueError):
        from_xml(domain.Mark, text.replace("generation='3'", ""))
