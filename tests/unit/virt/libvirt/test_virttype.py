from __future__ import annotations

import logging
import pathlib

import pytest

from nova_lite.virt.libvirt import virttype

TABLE = [
    # configured, arch, /dev/kvm opens, flags, decided
    ("auto", "x86_64", True, {"vmx", "sse"}, "kvm"),
    ("auto", "x86_64", True, {"svm"}, "kvm"),
    ("auto", "x86_64", True, {"sse"}, "qemu"),  # the device exists, the instructions do not
    ("auto", "x86_64", True, set(), "qemu"),
    ("auto", "x86_64", False, {"vmx"}, "qemu"),  # no permission, no module
    ("auto", "aarch64", True, set(), "kvm"),
    ("auto", "aarch64", False, set(), "qemu"),
    ("kvm", "x86_64", True, {"vmx"}, "kvm"),
    ("kvm", "x86_64", True, {"sse"}, "qemu"),
    ("kvm", "x86_64", False, {"vmx"}, "qemu"),
    ("kvm", "i686", True, {"svm"}, "kvm"),
    ("qemu", "x86_64", True, {"vmx", "svm"}, "qemu"),
    ("qemu", "aarch64", True, set(), "qemu"),
]


@pytest.mark.parametrize(("configured", "arch", "opens", "flags", "decided"), TABLE)
def test_decision(configured: str, arch: str, opens: bool, flags: set[str], decided: str) -> None:
    assert virttype.decide(configured, arch, opens, frozenset(flags)) == decided


@pytest.mark.parametrize(("flags", "decided"), [("fpu vmx sse", "kvm"), ("fpu sse vmxnet", "qemu")])
def test_of_host(tmp_path: pathlib.Path, flags: str, decided: str, caplog: pytest.LogCaptureFixture) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t: vmx\n")
    device = tmp_path / "kvm"
    device.touch()
    with caplog.at_level(logging.WARNING):
        assert virttype.of_host("kvm", "x86_64", str(device), str(cpuinfo)) == decided
    assert bool(caplog.records) == (decided == "qemu")
    assert virttype.of_host("auto", "x86_64", str(tmp_path / "none"), str(cpuinfo)) == "qemu"


def test_a_host_that_tells_nothing(tmp_path: pathlib.Path) -> None:
    assert virttype.flags_of(str(tmp_path / "none")) == frozenset()
    (tmp_path / "cpuinfo").write_text("processor: 0\n")
    assert virttype.flags_of(str(tmp_path / "cpuinfo")) == frozenset()
