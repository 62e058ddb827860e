from __future__ import annotations

import os
import pathlib
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("libvirt", reason="no libvirt binding")

from nova_lite.virt.libvirt import virttype  # noqa: E402
from nova_lite.virt.libvirt.host import Host  # noqa: E402
from nova_lite.virt.libvirt.options import GIB, Options  # noqa: E402
from tests.unit.virt.libvirt.xml.test_xml import CAPABILITIES  # noqa: E402


class Answers:
    """A connection that answers from a table, and counts."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {
            "getCapabilities": CAPABILITIES,
            "getInfo": ["x86_64", 5210, 2, 2600, 1, 1, 2, 1],
            "getType": "QEMU",
            "getVersion": 7002022,
            "numOfDomains": 3,
            **answers,
        }
        self.asked: list[str] = []

    def call(self, method: str, *args: Any) -> Any:
        self.asked.append(method)
        return self.answers[method]


@pytest.fixture
def options(tmp_path: pathlib.Path) -> Options:
    return Options(instances_path=str(tmp_path), host="cn1", host_ip="192.0.2.7")


def make(options: Options, monkeypatch: pytest.MonkeyPatch, virt_type: str = "qemu", **answers: Any) -> Host:
    monkeypatch.setattr(virttype, "of_host", lambda configured, arch: virt_type)
    return Host(Answers(**answers), options)  # type: ignore[arg-type]


def test_inventory(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    space = os.statvfs(options.instances_path)
    found = make(options, monkeypatch).inventory(overcommitted_bytes=10**15)
    assert (found.hypervisor_hostname, found.hypervisor_type, found.hypervisor_version) == ("cn1", "QEMU", 7002022)
    assert (found.vcpus, found.memory_mb, found.running_vms) == (2, 5210, 3)
    assert found.local_gb == space.f_blocks * space.f_frsize // GIB
    assert found.disk_available_least is not None
    assert found.disk_available_least < 0, "overcommitment is subtracted"
    assert found.host_ip == "192.0.2.7"
    assert found.cpu_info == {
        "arch": "x86_64", "model": "EPYC", "vendor": "AMD", "features": ["ht", "vme"],
        "topology": {"sockets": 1, "cores": 2, "threads": 4},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("virt_type", "expected"),
    [
        ("qemu", (("i686", "qemu", "hvm"), ("x86_64", "qemu", "hvm"))),
        ("kvm", (("i686", "qemu", "hvm"), ("x86_64", "qemu", "hvm"), ("x86_64", "kvm", "hvm"))),
    ],
)
def test_kvm_is_offered_only_where_it_works(
    options: Options, monkeypatch: pytest.MonkeyPatch, virt_type: str, expected: Any
) -> None:
    assert make(options, monkeypatch, virt_type).inventory(0).supported_instances == expected


@pytest.mark.parametrize(("uid", "expected"), [(64055, True), (0, False), (os.geteuid(), False)])
def test_qemus_user(options: Options, monkeypatch: pytest.MonkeyPatch, uid: int, expected: bool) -> None:
    capabilities = CAPABILITIES.replace("+64055:", f"+{uid}:")
    assert make(options, monkeypatch, getCapabilities=capabilities).qemu_is_another_user() is expected


def test_a_host_that_tells_little(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    host = make(options, monkeypatch, getCapabilities="<capabilities><host/></capabilities>")
    assert host.arch == os.uname().machine
    assert not host.qemu_is_another_user()
    assert host.inventory(0).cpu_info == {}
    assert host.inventory(0).supported_instances == ()


def test_capabilities_are_asked_once(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers()
    host = Host(answers, replace(options, virt_type="qemu"))  # type: ignore[arg-type]
    assert (host.arch, host.virt_type, host.arch) == ("x86_64", "qemu", "x86_64")
    assert answers.asked == ["getCapabilities"]
