"""kill -9 of a daemon in the middle of a boot, over RabbitMQ and PostgreSQL: nothing stays stuck, nothing leaks."""

from __future__ import annotations

import pathlib
import signal
import uuid
from typing import Any

import pytest

from lab import daemons
from tests.harness.lab_books import agree, guests
from tests.harness.laboratory import Laboratory, until

pytestmark = pytest.mark.timeout(600)

SPAWN_S = 4
SETTINGS = {
    "fake_driver.delays": f"spawn:{SPAWN_S}",
    "operations.heartbeat_interval_s": "0.5",
    "operations.lease_s": "4",
    "operations.sweep_interval_s": "0.5",
    "operations.service_down_s": "6",
    "rpc_response_timeout": "6",
}
SCHEDULER = "nova-lite-scheduler-1"


@pytest.fixture(scope="module")
def cloud(laboratory: Laboratory) -> Laboratory:
    """Two conductors, two hosts with the fake driver, whose guests take their time; leases short enough for a test."""
    extra = [word for name, value in SETTINGS.items() for word in ("--set", f"{name}={value}")]
    laboratory.up("--database", "postgresql", "--driver", "fake", "--hosts", "2", "--conductors", "2", *extra)
    with laboratory.connect("admin") as admin:
        if not admin.image.find_image("empty"):
            admin.image.create_image(
                name="empty", disk_format="raw", container_format="bare", visibility="public", data=bytes(1 << 20)
            )
        if not admin.compute.find_flavor("kill"):
            admin.compute.create_flavor(name="kill", ram=64, disk=1, vcpus=1)
    return laboratory


def create(cloud: Laboratory) -> str:
    """POST a server; its id as soon as it is accepted."""
    with cloud.connect() as demo:
        image, flavor = demo.image.find_image("empty"), demo.compute.find_flavor("kill")
        made = demo.compute.create_server(
            name=f"kill-{uuid.uuid4().hex[:6]}", image_id=image.id, flavor_id=flavor.id, networks="auto"
        )
        return str(made.id)


def build(cloud: Laboratory, server: str) -> list[str]:
    """State, owner and attempt of the operation that builds the server."""
    rows = cloud.rows(
        "SELECT state, coalesce(owner, ''), attempt, topic FROM operations "
        f"WHERE instance_uuid = '{server}' AND action = 'create' ORDER BY id"
    )
    return rows[0] if rows else []


def settled(cloud: Laboratory, server: str) -> Any:
    """The server once it is ACTIVE, or ERROR with a reason, with no task at work."""
    with cloud.connect() as demo:

        def stable() -> Any:
            found = demo.compute.get_server(server)
            return found if found.status in ("ACTIVE", "ERROR") and not found.task_state else None

        return until(f"server {server} settles", stable)


def verify(cloud: Laboratory, server: str) -> None:
    """It ends ACTIVE, or ERROR with a reason; everything agrees; it can be deleted without a trace."""
    found = settled(cloud, server)
    if found.status == "ERROR":
        assert found.fault and found.fault["message"], "ERROR without a reason"
    agree(cloud)
    with cloud.connect() as demo:
        demo.compute.delete_server(server)
        until("deleted", lambda: not demo.compute.find_server(server))
    agree(cloud)
    assert server not in guests(cloud)


def taker(cloud: Laboratory, server: str) -> str:
    """Name of the conductor that took the build: its owner is <binary>:lab-conductor-<number>:<epoch>."""
    owner = until("a conductor took the build", lambda: (build(cloud, server) or ["", ""])[1])
    binary, host, _ = owner.split(":")
    return f"{binary}-{host.rpartition('-')[2]}"


@pytest.mark.parametrize("comes_back", [True, False], ids=["restarted", "gone for good"])
def test_conductor_killed_while_it_asks_the_scheduler(cloud: Laboratory, comes_back: bool) -> None:
    """The scheduler is frozen, so the conductor surely waits for it when it dies."""
    scheduler = cloud.daemon(SCHEDULER)
    scheduler.kill(signal.SIGSTOP)
    try:
        server = create(cloud)
        name = taker(cloud, server)
        conductor = cloud.daemon(name)
        conductor.kill(signal.SIGKILL)
        until("the conductor is dead", lambda: not conductor.alive())
    finally:
        scheduler.kill(signal.SIGCONT)
    if not comes_back:
        settled(cloud, server)
    cloud.call("start", name)
    verify(cloud, server)


def test_scheduler_killed_with_the_question_in_hand(cloud: Laboratory) -> None:
    """The frozen scheduler has the call in its hands and never answers it."""
    scheduler = cloud.daemon(SCHEDULER)
    scheduler.kill(signal.SIGSTOP)
    server = create(cloud)
    taker(cloud, server)
    scheduler.kill(signal.SIGKILL)
    until("the scheduler is dead", lambda: not scheduler.alive())
    cloud.call("start", SCHEDULER)
    verify(cloud, server)


@pytest.mark.parametrize("comes_back", [True, False], ids=["restarted", "gone for good"])
def test_compute_killed_while_the_guest_spawns(cloud: Laboratory, comes_back: bool) -> None:
    """The guest takes seconds to spawn; the host dies under it."""
    server = create(cloud)

    def spawning() -> list[list[str]]:
        return cloud.rows(f"SELECT host FROM instances WHERE uuid = '{server}' AND task_state = 'spawning'")

    host = until("spawning", spawning)[0][0]
    name = f"nova-lite-compute-{host.rpartition('-')[2]}"
    daemon = cloud.daemon(name)
    daemon.kill(signal.SIGKILL)
    until("the compute is dead", lambda: not daemon.alive())
    if not comes_back:
        settled(cloud, server)
    cloud.call("start", name)
    verify(cloud, server)


def test_every_daemon_killed_at_once(cloud: Laboratory) -> None:
    """Five boots, then power is lost everywhere; all of them settle when it is back."""
    servers = [create(cloud) for _ in range(5)]
    until("one is spawning", lambda: cloud.rows("SELECT uuid FROM instances WHERE task_state = 'spawning'"))
    names = [path.stem for path in pathlib.Path(cloud.lab.root / "daemons").glob("*.pid")]
    for name in names:
        cloud.daemon(name).kill(signal.SIGKILL)
    until("all are dead", lambda: not any(cloud.daemon(name).alive() for name in names))
    daemons.start(cloud.lab, cloud.fleet)
    for server in servers:
        verify(cloud, server)
