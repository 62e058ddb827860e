"""Several of each daemon at once, on either backend: any order, new hosts, quick ends, no slot sold twice."""

from __future__ import annotations

import time
from typing import Any

import pytest

from lab import daemons
from tests.harness.lab_books import agree, guests
from tests.harness.laboratory import Laboratory, until

pytestmark = pytest.mark.timeout(600)

IDLE_STOP_S = 2.0
SLOTS_OF_A_HOST = 3
SIZE_MB = 256


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def cloud(request: pytest.FixtureRequest, laboratory: Laboratory) -> Laboratory:
    """Two conductors, two schedulers, two hosts with room for SLOTS_OF_A_HOST servers each."""
    settings = (
        f"fake_driver.memory_mb={SLOTS_OF_A_HOST * SIZE_MB}", "compute.reserved_host_memory_mb=0",
        "operations.heartbeat_interval_s=0.5", "operations.lease_s=4", "operations.service_down_s=6",
    )  # fmt: skip
    laboratory.up(
        "--database", "mariadb", "--driver", "fake", "--hosts", "2", "--conductors", "2", "--schedulers", "2",
        "--concurrency", request.param, *(word for one in settings for word in ("--set", one)),
    )  # fmt: skip
    with laboratory.connect("admin") as admin:
        for leftover in admin.compute.servers(details=False, all_projects=True):
            admin.compute.delete_server(leftover)
        if not admin.image.find_image("empty"):
            admin.image.create_image(
                name="empty", disk_format="raw", container_format="bare", visibility="public", data=bytes(1 << 20)
            )
        if not admin.compute.find_flavor("slot"):
            admin.compute.create_flavor(name="slot", ram=SIZE_MB, disk=0, vcpus=1)
        until("leftovers are gone", lambda: not list(admin.compute.servers(details=False, all_projects=True)))
        until("only this fleet is up", lambda: computes_up(admin) == {"lab-host-1", "lab-host-2"})
    agree(laboratory)
    return laboratory


def ask(connection: Any, **arguments: Any) -> Any:
    """POST servers."""
    image, flavor = connection.image.find_image("empty"), connection.compute.find_flavor("slot")
    return connection.compute.create_server(image_id=image.id, flavor_id=flavor.id, networks="none", **arguments)


def settle(connection: Any, prefix: str, count: int) -> dict[str, list[Any]]:
    """Servers of that name by status, once none of them is building."""

    def found() -> Any:
        servers = [one for one in connection.compute.servers(name=prefix) if one.name.startswith(prefix)]
        ended = [one for one in servers if one.status in ("ACTIVE", "ERROR") and not one.task_state]
        return servers if len(ended) == len(servers) == count else None

    servers = until(f"{count} servers settle", found)
    return {word: [one for one in servers if one.status == word] for word in ("ACTIVE", "ERROR")}


def remove(connection: Any, cloud: Laboratory, servers: list[Any]) -> None:
    for server in servers:
        connection.compute.delete_server(server.id)
    until("deleted", lambda: not {one.id for one in connection.compute.servers()} & {one.id for one in servers})
    agree(cloud)


def test_every_slot_is_sold_once(cloud: Laboratory) -> None:
    """Nine servers for six slots, asked for one by one: six run, three say why not, and the books agree."""
    slots = 2 * SLOTS_OF_A_HOST
    with cloud.connect() as demo:
        for number in range(slots + 3):
            ask(demo, name=f"slot-{number}")
        found = settle(demo, "slot-", slots + 3)
        assert len(found["ACTIVE"]) == slots
        assert all("No valid host" in one.fault["message"] for one in found["ERROR"])
        agree(cloud)
        assert len(set(guests(cloud))) == slots
        remove(demo, cloud, found["ACTIVE"] + found["ERROR"])
    assert guests(cloud) == []


def computes_up(admin: Any) -> set[str]:
    """Hosts whose compute daemon counts as up."""
    return {one.host for one in admin.compute.services(binary="nova-compute") if one.state == "up"}


def test_a_new_host_is_used_at_once_and_not_when_it_is_gone(cloud: Laboratory) -> None:
    """Nobody registers it: it starts, says hello and gets a server. It stops, and soon counts as down."""
    fleet = cloud.fleet
    grown = daemons.Fleet(**{**vars(fleet), "hosts": fleet.hosts + 1})
    newcomer = daemons.processes(cloud.lab, grown)[f"nova-lite-compute-{grown.hosts}"]
    newcomer.start()
    try:
        newcomer.wait(lambda: newcomer.name not in daemons.deaf(cloud.lab, grown), daemons.UP_S)
        with cloud.connect("admin") as admin:
            server = ask(admin, name="newcomer", host=daemons.host_name(grown.hosts))
            found = settle(admin, "newcomer", 1)["ACTIVE"]
            assert [one.compute_host for one in found] == [daemons.host_name(grown.hosts)]
            assert found[0].id == server.id
            remove(admin, cloud, found)
    finally:
        newcomer.stop()
    with cloud.connect("admin") as admin:
        until("it counts as down", lambda: daemons.host_name(grown.hosts) not in computes_up(admin), 15)


def test_daemons_start_in_any_order_and_stop_within_two_seconds(cloud: Laboratory) -> None:
    """Backwards, each alone for a moment: the last to come is the conductor that the others wait for."""
    everyone = list(daemons.processes(cloud.lab, cloud.fleet).values())
    slow = {one.name: seconds for one in everyone if (seconds := stop_seconds(one)) > IDLE_STOP_S}
    for one in reversed(everyone):
        one.start()
        time.sleep(0.5)
    daemons.wait_ready(cloud.lab, cloud.fleet)
    with cloud.connect() as demo:
        ask(demo, name="after")
        found = settle(demo, "after", 1)["ACTIVE"]
        assert len(found) == 1
        remove(demo, cloud, found)
    assert slow == {}, "idle daemons took longer to stop"


def stop_seconds(daemon: Any) -> float:
    """Seconds from SIGTERM to the end; infinite where it had to be killed."""
    begun = time.monotonic()
    assert daemon.stop(30)
    return time.monotonic() - begun
