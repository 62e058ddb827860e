"""Interfaces when hosts are killed in the middle and the network service refuses, hangs or goes away: no port is lost,
none is left behind."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import concurrency
from nova_lite.conductor.tasks import recover
from nova_lite.db.api import instances, operations
from nova_lite.objects import OPEN_STATES
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, PROJECT, Answer, Cloud, until


@pytest.fixture
def cloud(tmp_path: pathlib.Path) -> Iterator[Cloud]:
    with Cloud(tmp_path, hosts=1, options={"neutron": {"http_retries": 0}}) as running:
        yield running


def _fails(cloud: Cloud, call: str, times: int | None = None) -> None:
    """The network service fails at this request."""
    cloud.networks.plan.add(FaultRule(call, FaultKind.RAISE, times))


def _attaching(cloud: Cloud, server: str, **wanted: Any) -> Any:
    """An attach on its way; its answer by ``wait``."""
    body = {"interfaceAttachment": wanted or {"net_id": cloud.networks.first_network()}}
    return concurrency.spawn(cloud.post, f"/servers/{server}/os-interface", body)


def _vifs(server: str) -> list[str]:
    return [vif.id for vif in instances.get(server).network_info]


def _began(cloud: Cloud, call: str, server: str) -> None:
    calls = cloud.drivers["host1"].plan.calls
    until(lambda: (call, server) in calls, 10, lambda: f"{call} never began")


def _delete(cloud: Cloud, server: str) -> None:
    assert cloud.delete(f"/servers/{server}", token=ADMIN).status == 204
    cloud.wait_gone(server, 30)
    cloud.wait_quiet()
    assert cloud.networks.made() == []


def test_a_host_killed_after_ports_were_made_uses_them_again(cloud: Cloud) -> None:
    cloud.drivers["host1"].plan.delay("create_disks", 0.5)
    server = cloud.boot(wait=None)["id"]
    _began(cloud, "create_disks", server)
    (port,) = cloud.networks.made()
    cloud.kill("host1")
    cloud.start_host("host1")
    cloud.wait(server, "ACTIVE", 30)
    assert [each["id"] for each in cloud.networks.made()] == [port["id"]] == _vifs(server)
    cloud.wait_quiet()
    _delete(cloud, server)


def test_a_network_service_that_refuses_fails_the_build_and_keeps_nothing(cloud: Cloud) -> None:
    _fails(cloud, "POST ports")
    server = cloud.boot(wait="ERROR")["id"]
    assert cloud.networks.made() == []
    cloud.networks.plan.clear()
    _delete(cloud, server)


def test_a_build_whose_undo_fails_ends_when_its_port_is_gone(cloud: Cloud) -> None:
    """A server in error has no host and no ports: what the build made goes first, however long that takes."""
    cloud.drivers["host1"].plan.add(FaultRule("spawn", FaultKind.RAISE))
    _fails(cloud, "DELETE ports")
    server = cloud.boot(wait=None)["id"]
    until(lambda: cloud.networks.ports_of(server), 10, lambda: "no port was made")
    concurrency.sleep(0.5)
    assert cloud.show(server)["status"] == "BUILD"  # type: ignore[index]
    cloud.networks.plan.clear()
    cloud.wait(server, "ERROR", 30)
    assert cloud.networks.made() == []
    _delete(cloud, server)


def test_a_delete_is_tried_until_the_ports_are_gone(cloud: Cloud) -> None:
    server = cloud.boot()["id"]
    _fails(cloud, "DELETE ports", times=1)
    _delete(cloud, server)


def test_a_delete_without_its_host_gives_the_ports_back(cloud: Cloud) -> None:
    server = cloud.boot()["id"]
    port = cloud.networks.new_port(PROJECT, cloud.networks.first_network())["id"]
    answer = cloud.post(f"/servers/{server}/os-interface", {"interfaceAttachment": {"port_id": port}})
    assert answer.status == 200, answer.body
    cloud.kill("host1")
    _fails(cloud, "PUT ports", times=1)
    assert cloud.delete(f"/servers/{server}").status == 204
    cloud.wait_gone(server, 40)
    assert cloud.networks.made() == [] and cloud.networks.store.get("port", port)["device_id"] == ""
    cloud.start_host("host1")
    cloud.wait_quiet()


def test_a_host_killed_in_an_attach_goes_on_with_the_same_port(cloud: Cloud) -> None:
    server = cloud.boot()["id"]
    cloud.drivers["host1"].plan.delay("attach_interface", 0.5)
    answer = _attaching(cloud, server)
    _began(cloud, "attach_interface", server)
    cloud.kill("host1")
    driver = cloud.start_host("host1")
    done: Answer = answer.wait(30)
    assert done.status == 200, done.body
    port = done.json["interfaceAttachment"]["port_id"]
    assert _vifs(server)[1:] == [port] == driver.guests[server].plugged
    assert len(cloud.networks.made()) == 2
    cloud.wait_quiet()


def test_an_attach_whose_host_never_comes_back_gives_its_port_back(cloud: Cloud) -> None:
    server = cloud.boot()["id"]
    cloud.drivers["host1"].plan.delay("attach_interface", 0.5)
    answer = _attaching(cloud, server)
    _began(cloud, "attach_interface", server)
    cloud.kill("host1")
    _fails(cloud, "DELETE ports", times=1)
    (operation,) = [each for each in operations.list_for_instance(server) if each.state in OPEN_STATES]
    recover.time_is_up(operation)
    assert answer.wait(60).status == 503
    assert [port["id"] for port in cloud.networks.made()] == _vifs(server)
    cloud.start_host("host1")
    cloud.wait_quiet()


def test_a_guest_that_refuses_costs_no_port(cloud: Cloud) -> None:
    server = cloud.boot()["id"]
    cloud.drivers["host1"].plan.add(FaultRule("attach_interface", FaultKind.RAISE))
    assert _attaching(cloud, server).wait(30).status == 503
    given = cloud.networks.new_port(PROJECT, cloud.networks.first_network())["id"]
    assert _attaching(cloud, server, port_id=given).wait(30).status == 503
    assert cloud.networks.store.get("port", given)["device_id"] == "" and len(cloud.networks.made()) == 1
    shown = cloud.show(server)
    assert shown is not None and shown["status"] == "ACTIVE" and "fault" not in shown
    cloud.wait_quiet()


def test_an_attach_that_cannot_be_undone_is_tried_again(cloud: Cloud) -> None:
    server = cloud.boot()["id"]
    cloud.drivers["host1"].plan.add(FaultRule("attach_interface", FaultKind.RAISE, times=1))
    _fails(cloud, "DELETE ports", times=1)
    assert _attaching(cloud, server).wait(30).status == 200
    assert len(cloud.networks.made()) == len(_vifs(server)) == 2
    cloud.wait_quiet()


def test_a_host_killed_in_a_detach_goes_on(cloud: Cloud) -> None:
    server = cloud.boot()["id"]
    port = _vifs(server)[0]
    cloud.drivers["host1"].plan.delay("detach_interface", 0.5)
    assert cloud.delete(f"/servers/{server}/os-interface/{port}").status == 202
    _began(cloud, "detach_interface", server)
    cloud.kill("host1")
    cloud.start_host("host1")
    until(lambda: not _vifs(server), 20, lambda: "it is still attached")
    assert cloud.networks.made() == []
    cloud.wait_quiet()


@pytest.mark.parametrize("request_", ["DELETE ports", "GET ports"])
def test_a_detach_that_fails_half_way_ends_when_the_network_service_is_back(cloud: Cloud, request_: str) -> None:
    server = cloud.boot()["id"]
    port = _vifs(server)[0]
    cloud.drivers["host1"].plan.delay("detach_interface", 0.3)
    assert cloud.delete(f"/servers/{server}/os-interface/{port}").status == 202
    _began(cloud, "detach_interface", server)
    _fails(cloud, request_, times=1)
    until(lambda: not _vifs(server), 20, lambda: "it is still attached")
    assert cloud.networks.ports_of(server) == []
    cloud.wait_quiet()


def test_a_detach_that_the_guest_refuses_can_be_asked_for_again(cloud: Cloud) -> None:
    server = cloud.boot()["id"]
    port = _vifs(server)[0]
    cloud.drivers["host1"].plan.add(FaultRule("detach_interface", FaultKind.RAISE, times=1))
    assert cloud.delete(f"/servers/{server}/os-interface/{port}").status == 202
    cloud.wait_quiet()
    assert _vifs(server) == [port]
    assert cloud.delete(f"/servers/{server}/os-interface/{port}").status == 202
    until(lambda: not _vifs(server), 20, lambda: "it is still attached")
    cloud.wait_quiet()


def test_attaches_and_detaches_at_once_lose_nothing(cloud: Cloud) -> None:
    server = cloud.boot()["id"]
    answers = [_attaching(cloud, server) for _ in range(4)]
    ports = [answer.wait(30).json["interfaceAttachment"]["port_id"] for answer in answers]
    assert len(set(ports)) == 4
    more = [_attaching(cloud, server) for _ in range(2)]
    for port in ports[:3]:
        assert cloud.delete(f"/servers/{server}/os-interface/{port}").status == 202
    new = [answer.wait(30).json["interfaceAttachment"]["port_id"] for answer in more]
    until(lambda: set(_vifs(server)[1:]) == {ports[3], *new}, 20, lambda: str(_vifs(server)))
    cloud.wait_quiet()
    _delete(cloud, server)


def test_a_silent_network_service_is_a_503_of_the_api(cloud: Cloud) -> None:
    _fails(cloud, "GET networks")
    body = {"name": "x", "imageRef": next(iter(cloud.images.images)), "flavorRef": "42", "networks": "auto"}
    assert cloud.post("/servers", {"server": body}).status == 503
    cloud.networks.plan.clear()
    cloud.wait_quiet()


def test_a_slow_network_service_delays_and_harms_nothing(cloud: Cloud) -> None:
    cloud.networks.plan.delay("POST ports", 1.0)
    server = cloud.boot(wait=None)["id"]
    assert cloud.delete(f"/servers/{server}").status == 204
    cloud.wait_gone(server, 30)
    cloud.wait_quiet()
    assert cloud.networks.made() == []


def test_an_attach_that_a_delete_overtakes_is_a_conflict(cloud: Cloud) -> None:
    server = cloud.boot()["id"]
    for call in ("attach_interface", "destroy"):
        cloud.drivers["host1"].plan.delay(call, 0.5)
    attaching = _attaching(cloud, server)
    _began(cloud, "attach_interface", server)
    _delete(cloud, server)
    answer = attaching.wait()
    assert (answer.status, answer.json["conflictingRequest"]["message"]) == (
        409, "Superseded by a later request: delete",
    )  # fmt: skip


def test_a_reset_state_does_not_stop_a_delete(cloud: Cloud) -> None:
    server = cloud.boot()["id"]
    cloud.drivers["host1"].plan.delay("destroy", 0.5)
    assert cloud.delete(f"/servers/{server}").status == 204
    _began(cloud, "destroy", server)
    assert cloud.act(server, "os-resetState", {"state": "active"}, token=ADMIN).status == 202
    cloud.wait_gone(server)
    cloud.wait_quiet()
