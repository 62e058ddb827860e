"""What the network service reports of ports: a server's row follows, and its guest."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from nova_lite import concurrency
from nova_lite.db.api import instances, operations
from tests.harness.cloud import ADMIN, PROJECT, Cloud, until


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    directory: pathlib.Path = tmp_path_factory.mktemp("events")
    with Cloud(directory) as running:
        yield running


def _report(cloud: Cloud, server: str, name: str, port: str) -> None:
    event = {"name": name, "server_uuid": server, "tag": port, "status": "completed"}
    answer = cloud.post("/os-server-external-events", {"events": [event]}, token=ADMIN)
    assert answer.status in (200, 207), answer.body


def _ports(server: str) -> list[str]:
    return [vif.id for vif in instances.get(server).network_info]


def test_a_changed_address_is_seen(cloud: Cloud) -> None:
    server = cloud.boot()["id"]
    (port,) = _ports(server)
    body = {"port": {"fixed_ips": [{"ip_address": "10.0.7.7"}]}}
    cloud.networks.ask(PROJECT, "PUT", f"ports/{port}", body)
    _report(cloud, server, "network-changed", port)
    until(
        lambda: cloud.get(f"/servers/{server}/ips").json["addresses"]["private"][0]["addr"] == "10.0.7.7",
        10, lambda: "the old address is still shown",
    )  # fmt: skip
    cloud.wait_quiet()


def test_a_deleted_port_leaves_the_guest(cloud: Cloud) -> None:
    server = cloud.boot()["id"]
    made = cloud.post(
        f"/servers/{server}/os-interface", {"interfaceAttachment": {"net_id": cloud.networks.first_network()}}
    ).json["interfaceAttachment"]["port_id"]
    guest = cloud.drivers["host1"].guests[server]
    assert guest.plugged == [made]
    cloud.networks.ask(PROJECT, "DELETE", f"ports/{made}")
    _report(cloud, server, "network-vif-deleted", made)
    until(lambda: made not in _ports(server), 10, lambda: "the interface is still listed")
    cloud.wait_quiet()
    assert guest.plugged == []


def test_a_deleted_port_of_a_server_that_cannot_change_now_is_forgotten(cloud: Cloud) -> None:
    server = cloud.boot()["id"]
    cloud.act(server, "suspend")
    cloud.wait(server, "SUSPENDED")
    (port,) = _ports(server)
    cloud.networks.ask(PROJECT, "DELETE", f"ports/{port}")
    _report(cloud, server, "network-vif-deleted", port)
    until(lambda: not _ports(server), 10, lambda: "the interface is still listed")
    _report(cloud, server, "network-vif-deleted", port)
    cloud.wait_quiet()


def test_a_port_that_is_deleted_while_it_is_plugged_leaves_the_guest(cloud: Cloud) -> None:
    """The server's row does not know it yet; its own detach, which deletes the port, needs no second one."""
    server = cloud.boot()["id"]
    driver = cloud.drivers["host1"]
    (old,) = _ports(server)
    driver.plan.delay("attach_interface", 0.5)
    body = {"interfaceAttachment": {"net_id": cloud.networks.first_network()}}
    answer = concurrency.spawn(cloud.post, f"/servers/{server}/os-interface", body)
    until(lambda: ("attach_interface", server) in driver.plan.calls, 10, lambda: "it never began")
    (made,) = [port["id"] for port in cloud.networks.ports_of(server) if port["id"] != old]
    assert made not in _ports(server)
    cloud.networks.ask(PROJECT, "DELETE", f"ports/{made}")
    for _ in range(2):
        _report(cloud, server, "network-vif-deleted", made)
    answer.wait(20)
    driver.plan.clear()
    cloud.wait_quiet()
    assert (_ports(server), driver.guests[server].plugged) == ([old], [])
    assert len([each for each in operations.list_for_instance(server) if each.action == "detach_interface"]) == 1


def test_a_port_that_is_deleted_is_written_down_before_it_is_answered(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody says it again: whoever answered may be killed then."""
    server = cloud.boot()["id"]
    (port,) = _ports(server)
    monkeypatch.setattr(concurrency, "spawn", lambda *_: None)
    cloud.networks.ask(PROJECT, "DELETE", f"ports/{port}")
    _report(cloud, server, "network-vif-deleted", port)
    assert [each.action for each in operations.list_for_instance(server)] == ["detach_interface", "create"]
    monkeypatch.undo()
    cloud.wait_quiet()
