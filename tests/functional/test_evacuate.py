"""Evacuation: the servers of a dead host are built again elsewhere, through the whole cloud."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.db.api import allocations, compute_nodes, migrations, services
from nova_lite.liveness import COMPUTE
from nova_lite.objects import MigrationStatus
from tests.harness.cloud import ADMIN, Cloud, until

HOSTS = ("host1", "host2", "host3")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("evacuate"), hosts=len(HOSTS)) as running:
        yield running


@pytest.fixture(autouse=True)
def _clean(cloud: Cloud) -> Iterator[None]:
    yield
    for name in HOSTS:
        if name not in cloud.services:
            cloud.revive(name)
    cloud.delete_servers()
    cloud.wait_quiet()


def _home(server: dict[str, Any]) -> str:
    return str(server["OS-EXT-SRV-ATTR:host"])


def _evacuate(cloud: Cloud, server: str, body: dict[str, Any] | None = None, **kwargs: Any) -> Any:
    return cloud.act(server, "evacuate", body or {}, token=ADMIN, **kwargs)


def _evacuated(cloud: Cloud, server: str, source: str, status: str) -> dict[str, Any]:
    shown = cloud.wait(server, status)
    assert _home(shown) != source
    return shown


def test_servers_of_a_dead_host_are_built_again_elsewhere_and_it_cleans_up_when_it_is_back(cloud: Cloud) -> None:
    first = cloud.boot()
    source = _home(first)
    zone = f"nova:{source}"
    ids = [first["id"], *(cloud.boot(availability_zone=zone, token=ADMIN)["id"] for _ in range(2))]
    cloud.act(ids[1], "os-stop")
    cloud.wait(ids[1], "SHUTOFF")
    assert _evacuate(cloud, ids[0]).json["badRequest"]["message"] == f"Compute service of {source} is still in use."
    cloud.silence(source)
    for server in ids:
        answer = _evacuate(cloud, server, version="2.94")
        assert (answer.status, answer.body) == (200, b"")
    _evacuated(cloud, ids[0], source, "ACTIVE")
    _evacuated(cloud, ids[1], source, "SHUTOFF")
    _evacuated(cloud, ids[2], source, "ACTIVE")
    moved = migrations.evacuated(source)
    assert {each.instance_uuid for each in moved} == set(ids)
    assert set(cloud.drivers[source].guests) >= set(ids)
    cloud.revive(source)
    cloud.wait_quiet()
    until(lambda: not migrations.evacuated(source), 10, lambda: "never completed")
    assert {migrations.get(each.uuid).status for each in moved} == {MigrationStatus.COMPLETED}
    assert not set(cloud.drivers[source].guests) & set(ids)


def test_from_2_95_an_evacuated_server_stays_stopped(cloud: Cloud) -> None:
    server = cloud.boot()
    cloud.silence(_home(server))
    assert _evacuate(cloud, server["id"], version="2.95").status == 200
    shown = _evacuated(cloud, server["id"], _home(server), "SHUTOFF")
    assert shown["OS-EXT-STS:power_state"] == 4
    cloud.revive(_home(server))
    cloud.wait_quiet()


def test_evacuation_ends_what_was_under_way_and_ignores_the_lock(cloud: Cloud) -> None:
    server = cloud.boot()
    source = _home(server)
    cloud.act(server["id"], "lock")
    cloud.silence(source)
    assert cloud.act(server["id"], "os-stop", token=ADMIN).status == 202
    assert _evacuate(cloud, server["id"], version="2.94").status == 200
    _evacuated(cloud, server["id"], source, "ACTIVE")
    actions = cloud.get(f"/servers/{server['id']}/os-instance-actions", token=ADMIN).json["instanceActions"]
    stop = next(each for each in actions if each["action"] == "stop")
    assert stop["message"] == "Superseded by a later request: evacuate"


def test_a_delete_is_not_superseded(cloud: Cloud) -> None:
    server = cloud.boot()
    source = _home(server)
    cloud.kill(source)
    assert cloud.delete(f"/servers/{server['id']}").status == 204  # nobody has noticed yet: the host has to do it
    services.set_forced_down(services.get_by_host(source, COMPUTE).uuid, True)
    assert _evacuate(cloud, server["id"]).status in (404, 409)
    cloud.wait_gone(server["id"])


def test_without_a_valid_host_the_server_is_in_error_where_it_was(cloud: Cloud) -> None:
    server = cloud.boot()
    source = _home(server)
    cloud.silence(*cloud.drivers)
    assert _evacuate(cloud, server["id"]).status == 200
    shown = cloud.wait(server["id"], "ERROR")
    assert _home(shown) == source
    assert shown["fault"]["message"].startswith("No valid host was found.")
    (claim,) = allocations.of_instance(server["id"])
    assert claim.node_uuid == compute_nodes.on_host(source)[0].uuid


def test_the_refusals_of_evacuate(cloud: Cloud) -> None:
    server = cloud.boot()
    source = _home(server)
    assert _evacuate(cloud, server["id"], {"host": "nowhere"}).json["itemNotFound"]["message"] == (
        "Compute host nowhere not found."
    )
    own = _evacuate(cloud, server["id"], {"host": source})
    assert own.json["badRequest"]["message"] == "The target host can't be the same one."
    assert _evacuate(cloud, server["id"], {"force": True}, version="2.29").status == 400
    assert _evacuate(cloud, server["id"], {"force": True}, version="2.68").status == 400
    assert _evacuate(cloud, server["id"], {"onSharedStorage": False}, version="2.14").status == 400
    assert _evacuate(cloud, server["id"], {}, version="2.13").status == 400
    both = {"onSharedStorage": True, "adminPass": "secret"}
    assert _evacuate(cloud, server["id"], both, version="2.13").status == 400
    cloud.act(server["id"], "pause")
    cloud.wait(server["id"], "PAUSED")
    paused = _evacuate(cloud, server["id"])
    assert paused.json["conflictingRequest"]["message"] == (
        f"Cannot 'evacuate' instance {server['id']} while it is in vm_state paused"
    )


def test_to_2_13_evacuate_answers_a_password_and_a_host_goes_unchecked(cloud: Cloud) -> None:
    server = cloud.boot()
    source = _home(server)
    target = next(name for name in cloud.drivers if name != source)
    cloud.silence(source)
    body = {"onSharedStorage": "False", "host": target}
    answer = _evacuate(cloud, server["id"], body, version="2.1")
    assert answer.status == 200
    assert len(answer.json["adminPass"]) == 12
    shown = cloud.wait(server["id"], "ACTIVE")
    assert (_home(shown), shown["OS-EXT-AZ:availability_zone"]) == (target, "nova")
