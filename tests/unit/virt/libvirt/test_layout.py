from __future__ import annotations

import pytest

from nova_lite.virt.libvirt.layout import Layout, LocalDisk, Paths

UUID = "5f0a3c52-8c1e-4b7a-9d57-0c1f6b1d2e3f"


def test_a_layout_survives_its_manifest() -> None:
    layout = Layout(
        (LocalDisk("root", "/a", "qcow2", base="/b", base_format="raw"), LocalDisk("swap", "/c", "raw")), "/k"
    )
    assert Layout.from_json(layout.to_json()) == layout


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2, "disks": []}', '{"disks": []}'])
def test_what_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Layout.from_json(text)


def test_paths() -> None:
    paths = Paths("/srv", UUID)
    assert paths.directory == f"/srv/{UUID}"
    assert paths.disk("root") == f"/srv/{UUID}/disk.root"
    assert paths.manifest == f"/srv/{UUID}/disks.json"
    assert paths.console_log == f"/srv/{UUID}/console.log"


@pytest.mark.parametrize("uuid", ["", "..", "/etc", f"../{UUID}", UUID.upper(), UUID.replace("-", ""), f"{{{UUID}}}"])
def test_only_a_uuid_becomes_a_path(uuid: str) -> None:
    with pytest.raises(ValueError):
        Paths("/srv", uuid)
