"""A server through real neighbours: Keystone's token, Glance's image, RabbitMQ's casts, a database's row, a domain."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness.laboratory import Laboratory, until

pytestmark = pytest.mark.timeout(600)

HOST_QUEUE = "compute.lab-libvirt-1"
RUNNING, STOPPED, PAUSED = "running", "shut off", "paused"


@pytest.fixture(scope="module", params=["mariadb", "postgresql"])
def cloud(request: pytest.FixtureRequest, laboratory: Laboratory, nano_image: pathlib.Path) -> Laboratory:
    """One host with libvirt on either database, an image in Glance and a flavor."""
    laboratory.up("--database", request.param, "--driver", "libvirt")
    with laboratory.connect() as demo, laboratory.connect("admin") as admin:
        for leftover in demo.compute.servers(details=False):
            demo.compute.delete_server(leftover)
        if not demo.image.find_image("nano"):
            laboratory.openstack(
                "image",
                "create",
                "--disk-format",
                "qcow2",
                "--container-format",
                "bare",
                "--file",
                str(nano_image),
                "nano",
            )
        if not admin.compute.find_flavor("nano"):
            laboratory.openstack(
                "flavor", "create", "--ram", "64", "--disk", "1", "--vcpus", "1", "nano", cloud="lab-admin"
            )
    return laboratory


@pytest.fixture
def server(cloud: Laboratory) -> Iterator[str]:
    """The id of a server made by the stock client; it is deleted at the end if the test has not done so."""
    made = cloud.json("server", "create", "--image", "nano", "--flavor", "nano", "--wait", "booted")
    yield made["id"]
    with cloud.connect() as demo:
        demo.compute.delete_server(made["id"], ignore_missing=True)
        until("deleted", lambda: not demo.compute.find_server(made["id"]))


def state(cloud: Laboratory, server: str) -> tuple[str, str | None, str | None]:
    """Status by the API, vm_state by the database, state of the domain by virsh."""
    with cloud.connect() as demo:
        found: Any = demo.compute.find_server(server)
    rows = cloud.rows(f"SELECT vm_state FROM instances WHERE uuid = '{server}' AND deleted_at IS NULL")
    return (found.status if found else "gone", rows[0][0] if rows else None, cloud.domains().get(server))


def expect(cloud: Laboratory, server: str, *wanted: str | None) -> None:
    until(f"{wanted}", lambda: state(cloud, server) == wanted)


def login_prompts(cloud: Laboratory, server: str) -> int:
    return cloud.openstack("console", "log", "show", server).count("login:")


def test_token_and_image_are_the_neighbours_own(cloud: Laboratory) -> None:
    """No stand-in answers: the token is a fernet token of Keystone, and the catalogue leads to Glance."""
    token = cloud.json("token", "issue")
    assert token["id"].startswith("gAAAAA")
    endpoints = {entry["Name"]: entry["Endpoints"] for entry in cloud.json("catalog", "list")}
    assert str(cloud.lab.ports["glance"]) in json.dumps(endpoints["glance"])
    assert str(cloud.lab.ports["compute"]) in json.dumps(endpoints["nova-lite"])
    assert cloud.json("image", "show", "nano")["status"] == "active"


def test_boot_goes_through_broker_database_and_hypervisor(cloud: Laboratory) -> None:
    """One server create grows the counters of the host's queue, writes a row and defines a domain."""
    before = {queue: cloud.published(queue) for queue in ("conductor", "scheduler", HOST_QUEUE)}
    server = cloud.json("server", "create", "--image", "nano", "--flavor", "nano", "--wait", "witness")["id"]
    expect(cloud, server, "ACTIVE", "active", RUNNING)
    for queue, count in before.items():
        until(f"more messages for {queue} than {count}", lambda q=queue, n=count: cloud.published(q) > n, 10)
    held = cloud.rows(f"SELECT count(*), sum(memory_mb) FROM allocations WHERE instance_uuid = '{server}'")
    assert held == [["1", "64"]]
    until("login prompt", lambda: login_prompts(cloud, server) == 1)
    cloud.openstack("server", "delete", "--wait", server)
    expect(cloud, server, "gone", None, None)
    assert cloud.rows(f"SELECT count(*) FROM allocations WHERE instance_uuid = '{server}'") == [["0"]]


def test_life_of_a_server_with_the_openstack_client(cloud: Laboratory, server: str) -> None:
    """stop, start, reboot, pause, unpause, delete: API, database and hypervisor agree after each."""
    expect(cloud, server, "ACTIVE", "active", RUNNING)
    for verb, wanted in (
        (("stop",), ("SHUTOFF", "stopped", STOPPED)),
        (("start",), ("ACTIVE", "active", RUNNING)),
        (("reboot", "--hard", "--wait"), ("ACTIVE", "active", RUNNING)),
        (("reboot", "--soft", "--wait"), ("ACTIVE", "active", RUNNING)),
        (("pause",), ("PAUSED", "paused", PAUSED)),
        (("unpause",), ("ACTIVE", "active", RUNNING)),
        (("delete", "--wait"), ("gone", None, None)),
    ):
        cloud.openstack("server", *verb, server)
        expect(cloud, server, *wanted)


def test_life_of_a_server_with_the_nova_client(cloud: Laboratory, server: str) -> None:
    """The same with novaclient's own command."""
    assert server in cloud.nova("list")
    for verb, wanted in (
        (("stop",), ("SHUTOFF", "stopped", STOPPED)),
        (("start",), ("ACTIVE", "active", RUNNING)),
        (("reboot", "--poll"), ("ACTIVE", "active", RUNNING)),
        (("pause",), ("PAUSED", "paused", PAUSED)),
        (("unpause",), ("ACTIVE", "active", RUNNING)),
        (("delete",), ("gone", None, None)),
    ):
        cloud.nova(*verb, server)
        expect(cloud, server, *wanted)


def test_a_restart_of_every_daemon_leaves_the_guest_alone(cloud: Laboratory, server: str) -> None:
    """Guests outlive the control plane; the server can be used at once when it is back."""
    with cloud.connect() as demo:
        uptime = cloud.domains()[server]
        for name in ("nova-lite-api-1", "nova-lite-conductor-1", "nova-lite-scheduler-1", "nova-lite-compute-1"):
            assert cloud.daemon(name).stop(30)
        assert cloud.domains()[server] == uptime == RUNNING
        cloud.up("--database", cloud.fleet.database, "--driver", "libvirt")
        assert demo.compute.get_server(server).status == "ACTIVE"
    cloud.openstack("server", "stop", server)
    expect(cloud, server, "SHUTOFF", "stopped", STOPPED)
