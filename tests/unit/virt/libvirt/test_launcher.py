from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("libvirt", reason="no libvirt binding")

from nova_lite import exception  # noqa: E402
from nova_lite.virt.libvirt import configdrive  # noqa: E402
from nova_lite.virt.libvirt.launcher import Launcher  # noqa: E402
from nova_lite.virt.libvirt.layout import Layout, Paths  # noqa: E402
from nova_lite.virt.libvirt.xml.domain import Domain  # noqa: E402
from nova_lite.virt.libvirt.xml.element import from_xml  # noqa: E402
from tests.unit.virt.libvirt.build.requests import CONFIG, INSTANCE, OPTIONS, ROOT, USER, UUID  # noqa: E402


class Host:
    virt_type, arch = "qemu", "x86_64"

    def __init__(self) -> None:
        self.defined: list[Domain] = []
        self.started = 0

    def define(self, xml: str) -> None:
        self.defined.append(from_xml(Domain, xml))

    def guest(self, uuid: str) -> Host:
        assert uuid == self.defined[-1].uuid
        return self

    def start(self) -> None:
        assert self.defined
        self.started += 1


class Disks:
    def __init__(self, layout: Layout | None) -> None:
        self.layout = layout

    def find(self, uuid: str) -> Layout | None:
        return self.layout

    def paths(self, uuid: str) -> Paths:
        return Paths("/srv/instances", uuid)


def launch(layout: Layout | None = Layout((ROOT,)), server: Any = INSTANCE, **options: Any) -> Host:  # noqa: B008
    host = Host()
    launcher = Launcher(host, Disks(layout), replace(OPTIONS, **options))  # type: ignore[arg-type]
    launcher.launch(server, (USER,))
    return host


def test_defined_then_started() -> None:
    host = launch()
    assert host.started == 1
    assert host.defined[0].uuid == UUID
    assert host.defined[0].mark is not None
    assert host.defined[0].mark.generation == INSTANCE.generation
    assert [disk.source_file for disk in host.defined[0].disks] == [ROOT.path]
    assert host.defined[0].interfaces[0].mac == USER.mac


@pytest.mark.parametrize(
    ("asked", "forced", "maker", "drives"),
    [
        (False, False, "genisoimage", 0),
        (True, False, "genisoimage", 1),
        (False, True, "genisoimage", 1),
        # What nobody asked for by name is left out where it cannot be made; what a user asked for is tried.
        (False, True, None, 0),
        (True, True, None, 1),
    ],
)
def test_config_drive(
    monkeypatch: pytest.MonkeyPatch, asked: bool, forced: bool, maker: str | None, drives: int
) -> None:
    monkeypatch.setattr(configdrive, "maker", lambda: maker)
    monkeypatch.setattr(configdrive, "ensure", lambda paths, instance, vifs: CONFIG)
    host = launch(server=INSTANCE.replace(config_drive=asked), force_config_drive=forced)
    assert [disk.device for disk in host.defined[0].disks].count("cdrom") == drives


def test_without_disks_nothing_is_defined() -> None:
    with pytest.raises(exception.BuildFailed, match="disks are missing"):
        launch(layout=None)
