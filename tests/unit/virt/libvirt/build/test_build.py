"""Each kind of guest against its golden file and libvirt's own schema.

NOVA_LITE_GOLDEN=write writes the golden files anew, for review.
"""

from __future__ import annotations

import os
import pathlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from nova_lite import exception
from nova_lite.objects import ImageMeta
from nova_lite.virt.libvirt.build import guest, identity, interfaces, processing, properties, storage
from nova_lite.virt.libvirt.build.request import GuestRequest
from nova_lite.virt.libvirt.xml.domain import Domain
from nova_lite.virt.libvirt.xml.element import from_xml, legal, to_xml
from tests.unit.virt.libvirt.build.requests import (
    BRIDGE,
    CONFIG,
    EPHEMERAL,
    INSTANCE,
    KINDS,
    OPTIONS,
    PLAIN,
    ROOT,
    USER,
    UUID,
    asking,
)  # fmt: skip

GOLDEN = pathlib.Path(__file__).parent / "golden"
SCHEMA = pathlib.Path("/usr/share/libvirt/schemas/domain.rng")


def xml_of(request: GuestRequest) -> str:
    return to_xml(guest.build_domain(request)) + "\n"


@pytest.mark.parametrize("kind", KINDS)
def test_golden(kind: str) -> None:
    path = GOLDEN / f"{kind}.xml"
    if os.environ.get("NOVA_LITE_GOLDEN") == "write":
        path.write_text(xml_of(KINDS[kind]))
    assert xml_of(KINDS[kind]) == path.read_text()


def test_no_golden_without_a_kind() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(KINDS)


@pytest.fixture(scope="module")
def schema() -> etree.RelaxNG:
    if not SCHEMA.exists():
        pytest.skip("libvirt's schemas are not installed (libvirt-daemon)")
    return etree.RelaxNG(etree.parse(str(SCHEMA)))


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_accepts(kind: str, schema: etree.RelaxNG) -> None:
    schema.assertValid(etree.fromstring(xml_of(KINDS[kind])))


def test_the_schema_refuses(schema: etree.RelaxNG) -> None:
    assert not schema.validate(etree.fromstring(xml_of(PLAIN).replace("<vcpu", "<vcup").replace("</vcpu", "</vcup")))


@pytest.mark.parametrize("kind", KINDS)
def test_reads_back(kind: str) -> None:
    built = guest.build_domain(KINDS[kind])
    assert from_xml(Domain, to_xml(built)) == built


# -- what a user chooses cannot become markup -------------------------------------------------------------------------

HOSTILE = st.text(max_size=80) | st.just("</name></metadata><devices><disk type='file'/></devices>")


@given(HOSTILE)
def test_names_stay_text(name: str) -> None:
    request = replace(PLAIN, instance=INSTANCE.replace(display_name=name))
    domain = from_xml(Domain, xml_of(request))
    assert domain.mark is not None
    assert domain.mark.name is not None
    assert domain.mark.name == legal(name)[:255]
    assert replace(domain, mark=None) == replace(guest.build_domain(PLAIN), mark=None)


def test_the_domain_is_named_by_uuid_alone() -> None:
    assert identity.guest_name(UUID) == f"instance-{UUID}"
    assert guest.build_domain(PLAIN).name == f"instance-{UUID}"


# -- image properties -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", properties.CHOICES)
def test_each_choice(name: str) -> None:
    field, allowed = properties.CHOICES[name]
    for value in allowed:
        assert getattr(asking(**{name: value}), field) == value
    with pytest.raises(exception.ImageUnacceptable, match=name):
        asking(**{name: "../../dev/mem"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hw_machine_type", "pc,accel=kvm"),
        ("hw_machine_type", "-machine"),
        ("hw_machine_type", "Q35\n"),
        ("os_command_line", "a\nb"),
        ("os_command_line", "\x00"),
        ("os_command_line", "x" * 2049),
    ],
)
def test_patterns_refuse(name: str, value: str) -> None:
    with pytest.raises(exception.ImageUnacceptable, match=name):
        asking(**{name: value})


def test_unknown_properties_reach_nothing() -> None:
    hostile = asking(hw_qemu_args="-device x", hw_emulator="/bin/sh", os_distro="debian")
    assert hostile == properties.Properties()
    assert properties.read(None) == properties.Properties()


@pytest.mark.parametrize(("word", "value"), [("True", "yes"), ("1", "yes"), ("no", "no"), ("FALSE", "no")])
def test_truths(word: str, value: str) -> None:
    assert asking(hw_qemu_guest_agent=word).guest_agent == value


def test_a_refusal_names_the_image_and_no_path() -> None:
    with pytest.raises(exception.ImageUnacceptable) as caught:
        properties.read(ImageMeta(id="i-1", properties={"hw_disk_bus": "/etc/passwd"}))
    assert "i-1" in str(caught.value)
    assert "/etc/passwd" not in str(caught.value)


# -- single concerns --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "virt_type", "expected"),
    [
        ("auto", "qemu", None),
        ("auto", "kvm", "host-model"),
        ("none", "kvm", None),
        ("host-passthrough", "kvm", "host-passthrough"),
        ("host-passthrough", "qemu", None),
        ("host-model", "kvm", "host-model"),
        ("host-model", "qemu", None),
    ],
)
def test_cpu_mode(mode: str, virt_type: str, expected: str | None) -> None:
    request = replace(PLAIN, options=replace(OPTIONS, cpu_mode=mode), virt_type=virt_type)
    assert processing.cpu_mode(request) == expected


@pytest.mark.parametrize(
    ("image", "host", "arch", "expected"),
    [
        (None, None, "x86_64", "pc"),
        (None, None, "aarch64", "virt"),
        (None, "q35", "x86_64", "q35"),
        ("pc-i440fx-7.2", "q35", "x86_64", "pc-i440fx-7.2"),
    ],
)
def test_machine(image: str | None, host: str | None, arch: str, expected: str) -> None:
    wishes = asking(hw_machine_type=image) if image else asking()
    request = replace(PLAIN, properties=wishes, options=replace(OPTIONS, machine_type=host), arch=arch)
    assert request.machine == expected
    assert request.has_ide == expected.startswith("pc")


def test_device_names_count_by_bus() -> None:
    request = replace(PLAIN, layout=replace(PLAIN.layout, disks=(ROOT, EPHEMERAL, CONFIG)))
    assert [name for _, name in storage.device_names(request)] == ["vda", "vdb", "hda"]
    on_q35 = replace(request, properties=asking(hw_machine_type="q35"))
    assert [name for _, name in storage.device_names(on_q35)] == ["vda", "vdb", "vdc"]


def test_no_disk_is_left_to_probing() -> None:
    for kind, request in KINDS.items():
        for disk in guest.build_domain(request).disks:
            assert disk.driver_type in ("raw", "qcow2"), kind
            below = disk.backing_store
            assert (below is None) == (disk.driver_type == "raw"), kind
            while below is not None and below.source_file is not None:
                assert below.format in ("raw", "qcow2"), kind
                below = below.below
            assert disk.driver_type == "raw" or below is not None, f"{kind}: the chain has no end"


def test_an_unknown_interface_is_refused() -> None:
    with pytest.raises(exception.BuildFailed, match="macvtap"):
        guest.build_domain(replace(PLAIN, vifs=(replace(USER, type="macvtap"),)))


def test_tap_names_fit_the_kernel() -> None:
    assert interfaces.tap_name(BRIDGE) == "tap1c7a2f9c-22"
    assert len(interfaces.tap_name(replace(BRIDGE, id="x" * 99))) < 16
