"""Unmodified clients walk over all resources: ``openstack``, ``nova`` and openstacksdk against the embedded cloud."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import openstack
import pytest
import yaml

from tests.harness import daemon
from tests.harness.clients import steps
from tests.harness.clients.walk import Client, Walk

pytestmark = [pytest.mark.slow, pytest.mark.processes, pytest.mark.timeout(300)]
CONF = """
[fake_driver]
persist = false
[operations]
heartbeat_interval_s = 0.5
sweep_interval_s = 0.5
"""


@dataclass(frozen=True)
class Place:
    """A cloud with three fake hosts: where its clouds.yaml is, and what the walks have to know."""

    clouds: pathlib.Path
    known: dict[str, str]

    def sdk(self, cloud: str = "nova-lite") -> Any:
        config = openstack.config.OpenStackConfig(config_files=[str(self.clouds)], load_envvars=False)
        return openstack.connection.Connection(config=config.get_one(cloud))

    def environment(self) -> dict[str, str]:
        """What ``nova`` reads, which knows no clouds.yaml."""
        auth = yaml.safe_load(self.clouds.read_text())["clouds"]["nova-lite"]["auth"]
        return {
            "OS_CLIENT_CONFIG_FILE": str(self.clouds), "OS_AUTH_URL": auth["auth_url"],
            "OS_USERNAME": auth["username"], "OS_PASSWORD": auth["password"],
            "OS_PROJECT_NAME": auth["project_name"], "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_NAME": "Default", "OS_IDENTITY_API_VERSION": "3",
        }  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("walk")
    conf = folder / "walk.conf"
    conf.write_text(CONF)
    base = daemon.free_ports_in_a_row()
    flags = ["--config-file", str(conf), "--fake", "--hosts", "3", "--quiet", "--state-dir", str(folder / "state"),
             "--port-base", str(base)]  # fmt: skip
    with daemon.running(folder, "threading", "all_in_one", *flags) as running:
        running.wait_ready()
        made = Place(folder / "state" / "clouds.yaml", {})
        hosts = sorted(each.host for each in made.sdk("nova-lite-admin").compute.services(binary="nova-compute"))
        made.known.update({f"host{number}": host for number, host in enumerate(hosts, 1)})
        image = folder / "tiny.raw"
        image.write_bytes(bytes(4096))
        made.known["image"] = made.sdk().create_image(
            "walk-image", filename=str(image), disk_format="raw", container_format="bare", wait=True
        ).id  # fmt: skip
        for name, ram in (("walk-a", 128), ("walk-b", 256)):
            made.sdk("nova-lite-admin").compute.create_flavor(name=name, id=name, ram=ram, vcpus=1, disk=1)
        yield made
        assert running.process.poll() is None, running.text()[-4000:]
        assert "Traceback" not in running.text()


@pytest.fixture(scope="module")
def clients(place: Place) -> Iterator[dict[str, Client]]:
    made = {
        "nova-lite": Client("openstack", {"OS_CLIENT_CONFIG_FILE": str(place.clouds)}),
        "nova-lite-admin": Client("openstack", {"OS_CLIENT_CONFIG_FILE": str(place.clouds)}),
        "nova": Client("nova", place.environment()),
    }
    yield made
    for client in made.values():
        client.close()


@pytest.mark.parametrize("name", steps.WALKS)
def test_walk(place: Place, clients: dict[str, Client], name: str) -> None:
    walk = Walk(clients, place.known)
    for step in steps.WALKS[name]:
        outcome = walk.step(step)
        assert outcome.complaint is None, outcome.complaint


def test_the_walks_are_long_enough() -> None:
    assert sum(len(walk) for walk in steps.WALKS.values()) > 60


def test_the_sdk_makes_a_server_and_reads_all_of_it(place: Place) -> None:
    compute = place.sdk().compute
    server = compute.create_server(name="sdk", image_id=place.known["image"], flavor_id="walk-a", networks="auto")
    server = compute.wait_for_server(server, wait=30)
    assert server.status == "ACTIVE" and server.flavor["original_name"] == "walk-a"
    compute.set_server_metadata(server, color="red")
    assert compute.get_server_metadata(server).metadata == {"color": "red"}
    assert [action.action for action in compute.server_actions(server)] == ["create"]
    assert compute.get_limits().absolute.total_instances_used >= 1
    compute.delete_server(server)
    compute.wait_for_delete(server, wait=30)
