"""The stock openstack command against the embedded volume service, with the clouds.yaml that was written."""

from __future__ import annotations

import time

import pytest

from tests.harness import embedded_cloud

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with embedded_cloud.running(tmp_path_factory.mktemp("cloud"), "eventlet") as running:
        yield running


def _eventually(probe, wanted):
    end = time.monotonic() + 20
    while (found := probe()) != wanted:
        assert time.monotonic() < end, found
        time.sleep(0.1)


def test_the_command_line_on_volumes(cloud):
    made = cloud.json("volume", "create", "--size", "1", "--property", "a=b", "--description", "d", "cli")
    assert made["status"] in ("creating", "available") and made["size"] == 1
    _eventually(lambda: cloud.json("volume", "show", "cli")["status"], "available")
    assert cloud.cli("volume", "set", "--name", "new", "--property", "c=d", "--size", "2", "cli").returncode == 0
    shown = cloud.json("volume", "show", "new")
    assert (shown["size"], shown["description"], shown["properties"]) == (2, "d", {"a": "b", "c": "d"})
    assert cloud.cli("volume", "set", "--bootable", "new").returncode == 0
    assert cloud.cli("volume", "unset", "--property", "a", "new").returncode == 0
    rows = cloud.json("volume", "list")
    assert [(row["Name"], row["Status"], row["Size"]) for row in rows] == [("new", "available", 2)]
    assert cloud.json("volume", "type", "list") and cloud.json("availability", "zone", "list", "--volume")
    assert cloud.json("volume", "service", "list", cloud="nova-lite-admin")
    refused = cloud.cli("volume", "service", "list")
    assert refused.returncode == 1 and b"403" in refused.stderr
    assert cloud.cli("volume", "delete", "new").returncode == 0
    _eventually(lambda: cloud.json("volume", "list"), [])


def test_the_command_line_on_snapshots(cloud):
    cloud.json("volume", "create", "--size", "1", "source")
    _eventually(lambda: cloud.json("volume", "show", "source")["status"], "available")
    made = cloud.json("volume", "snapshot", "create", "--volume", "source", "snap")
    assert made["size"] == 1
    _eventually(lambda: cloud.json("volume", "snapshot", "show", "snap")["status"], "available")
    assert [row["Name"] for row in cloud.json("volume", "snapshot", "list")] == ["snap"]
    assert cloud.cli("volume", "snapshot", "set", "--name", "renamed", "snap").returncode == 0
    refused = cloud.cli("volume", "delete", "source")
    assert refused.returncode == 1
    clone = cloud.json("volume", "create", "--snapshot", "renamed", "clone")
    assert clone["snapshot_id"] == made["id"]
    _eventually(lambda: cloud.json("volume", "show", "clone")["status"], "available")
    assert cloud.cli("volume", "delete", "clone").returncode == 0
    assert cloud.cli("volume", "snapshot", "delete", "renamed").returncode == 0
    assert cloud.cli("volume", "delete", "source").returncode == 0
    _eventually(lambda: cloud.json("volume", "list"), [])
