from __future__ import annotations

import base64
import json
import pathlib
import shutil

import pytest

from nova_lite import exception
from nova_lite.virt.libvirt import configdrive
from nova_lite.virt.libvirt.layout import LocalDisk, Paths
from tests.unit.virt.libvirt.build.requests import BRIDGE, INSTANCE, UNPLUGGED, UUID

SERVER = INSTANCE.replace(
    hostname="web", key_name="k", key_data="ssh-ed25519 AAAA", metadata={"a": "b"}, availability_zone="nova",
    user_data=base64.b64encode(b"#!/bin/sh\n").decode(),
)  # fmt: skip


def test_files() -> None:
    tree = configdrive.files(SERVER, (BRIDGE, UNPLUGGED), b"seed")
    assert {path.rpartition("/")[0] for path in tree} == {"openstack/2018-08-27", "openstack/latest"}
    meta = json.loads(tree["openstack/latest/meta_data.json"])
    assert meta["uuid"] == UUID
    assert meta["hostname"] == "web"
    assert meta["meta"] == {"a": "b"}
    assert meta["public_keys"] == {"k": "ssh-ed25519 AAAA"}
    assert base64.b64decode(meta["random_seed"]) == b"seed"
    assert tree["openstack/latest/user_data"] == b"#!/bin/sh\n"
    network = json.loads(tree["openstack/latest/network_data.json"])
    assert [link["ethernet_mac_address"] for link in network["links"]] == [BRIDGE.mac]
    assert [link["mtu"] for link in network["links"]] == [1450]
    assert network["networks"][0]["link"] == network["links"][0]["id"]


def test_what_is_not_set_is_not_there() -> None:
    tree = configdrive.files(INSTANCE, (), b"")
    meta = json.loads(tree["openstack/latest/meta_data.json"])
    assert not {"meta", "public_keys", "keys", "admin_pass"} & set(meta)
    assert meta["hostname"] == INSTANCE.display_name
    assert "openstack/latest/user_data" not in tree


def test_argv() -> None:
    assert " ".join(configdrive.argv("genisoimage", "/d", "/o")) == "genisoimage -quiet -J -r -l -V config-2 -o /o /d"


def test_a_host_that_cannot(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configdrive, "maker", lambda: None)
    with pytest.raises(exception.BuildFailed, match="config drives"):
        configdrive.ensure(Paths(str(tmp_path), UUID), INSTANCE, ())


@pytest.mark.skipif(shutil.which("genisoimage") is None, reason="genisoimage is not installed")
def test_ensure_makes_it_once(tmp_path: pathlib.Path) -> None:
    paths = Paths(str(tmp_path), UUID)
    pathlib.Path(paths.directory).mkdir()
    disk = configdrive.ensure(paths, SERVER, (BRIDGE,))
    assert disk == LocalDisk("config", paths.disk("config"), "raw", device="cdrom")
    content = pathlib.Path(disk.path).read_bytes()
    assert content[0x8001:0x8006] == b"CD001"
    assert content[0x8028:0x8030] == configdrive.LABEL.encode()
    assert [path.name for path in pathlib.Path(paths.directory).iterdir()] == ["disk.config"]
    before = pathlib.Path(disk.path).stat().st_mtime_ns
    configdrive.ensure(paths, SERVER, ())
    assert pathlib.Path(disk.path).stat().st_mtime_ns == before
