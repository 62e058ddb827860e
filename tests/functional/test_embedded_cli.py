"""The stock openstack command against the embedded identity and image services, with the clouds.yaml they wrote."""

from __future__ import annotations

import hashlib
import os

import pytest

from tests.harness import embedded_cloud

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with embedded_cloud.running(tmp_path_factory.mktemp("cloud"), "eventlet") as running:
        yield running


def test_the_command_line_on_identity(cloud):
    token = cloud.json("token", "issue")
    assert set(token) == {"expires", "id", "project_id", "user_id"}
    rows = cloud.json("catalog", "list")
    assert {row["Type"] for row in rows} == {"identity", "compute", "image", "network", "block-storage"}
    names = {row["Name"] for row in cloud.json("project", "list", cloud="nova-lite-admin")}
    assert names == {"admin", "demo", "service"}
    shown = cloud.json("user", "show", "demo", cloud="nova-lite-admin")
    assert shown["id"] == token["user_id"]
    rows = cloud.json("role", "assignment", "list", "--names", "--user", "demo", cloud="nova-lite-admin")
    assert {(row["Role"], row["Project"]) for row in rows} == {("member", "demo@Default"), ("reader", "demo@Default")}
    done = cloud.cli("token", "revoke", token["id"])
    assert done.returncode == 0, done.stderr
    for made in (["project", "create", "p"], ["user", "create", "u", "--password", "secret", "--project", "p"]):
        assert cloud.cli(*made, cloud="nova-lite-admin").returncode == 0
    granted = cloud.cli("role", "add", "--project", "p", "--user", "u", "member", cloud="nova-lite-admin")
    assert granted.returncode == 0, granted.stderr
    rows = cloud.json("role", "assignment", "list", "--names", "--user", "u", cloud="nova-lite-admin")
    assert [(row["Role"], row["Project"]) for row in rows] == [("member", "p@Default")]
    refused = cloud.cli("user", "create", "x")
    assert refused.returncode == 1 and b"403" in refused.stderr


def test_the_command_line_on_images(cloud, tmp_path):
    source, saved = tmp_path / "source", tmp_path / "saved"
    source.write_bytes(os.urandom(300_000))
    options = ["--disk-format", "raw", "--property", "hw_disk_bus=virtio", "--tag", "a"]
    made = cloud.json("image", "create", "--file", str(source), *options, "cli")
    assert (made["status"], made["size"], made["virtual_size"]) == ("active", 300_000, 300_000)
    assert made["checksum"] == hashlib.md5(source.read_bytes()).hexdigest()
    assert [(row["Name"], row["Status"]) for row in cloud.json("image", "list")] == [("cli", "active")]
    assert cloud.cli("image", "save", "--file", str(saved), "cli").returncode == 0
    assert saved.read_bytes() == source.read_bytes()
    changed = cloud.cli("image", "set", "--property", "os_distro=debian", "--name", "new", "--min-ram", "64", "cli")
    assert changed.returncode == 0, changed.stderr
    shown = cloud.json("image", "show", "new")
    assert shown["min_ram"] == 64 and shown["properties"]["os_distro"] == "debian"
    assert shown["properties"]["hw_disk_bus"] == "virtio" and shown["tags"] == ["a"]
    assert cloud.cli("image", "set", "--public", "new").returncode == 1
    assert cloud.cli("image", "unset", "--property", "os_distro", "new").returncode == 0
    assert "os_distro" not in cloud.json("image", "show", "new")["properties"]
    piped = cloud.cli(
        "image", "create", "--disk-format", "raw", "piped", "-f", "value", "-c", "size", stdin=b"x" * 70_000
    )
    assert piped.stdout == b"70000\n"
    assert cloud.cli("image", "delete", "new", "piped").returncode == 0
    assert cloud.json("image", "list") == []
