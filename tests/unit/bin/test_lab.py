"""What the lab computes before it starts anything."""

from __future__ import annotations

import configparser
import os
import pathlib
import signal
import socket

import pytest

from lab import daemons, layout, process


@pytest.fixture
def lab(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> layout.Layout:
    monkeypatch.setenv("NOVA_LITE_LAB_DIR", str(tmp_path))
    return layout.load()


def test_ports_and_passwords_are_chosen_once(lab: layout.Layout) -> None:
    assert layout.load() == lab
    assert len(set(lab.ports.values())) == len(lab.ports)
    assert len(set(lab.secrets.values())) == len(lab.secrets)
    assert (lab.root / "lab.json").stat().st_mode & 0o077 == 0


def test_one_configuration_names_broker_database_and_neighbours(lab: layout.Layout) -> None:
    fleet = daemons.Fleet(database="postgresql", settings=("debug=false", "fake_driver.delays=spawn:4"))
    found = configparser.RawConfigParser()
    found.read_string(daemons.configuration(lab, fleet))
    assert found["DEFAULT"]["transport_url"].endswith(f":{lab.ports['amqp']}/")
    assert found["database"]["connection"].startswith("postgresql+psycopg2://")
    assert found["service_auth"]["auth_url"] == f"http://127.0.0.1:{lab.ports['keystone']}/v3"
    assert found["DEFAULT"]["debug"] == "false"
    assert found["fake_driver"]["delays"] == "spawn:4"


def test_a_fleet_is_remembered_as_it_was(lab: layout.Layout) -> None:
    fleet = daemons.Fleet(hosts=3, conductors=2, settings=("rpc_response_timeout=5",))
    fleet.remember(lab)
    assert daemons.Fleet.remembered(lab) == fleet


def test_a_daemon_that_is_not_there_is_told_with_those_that_are(lab: layout.Layout) -> None:
    with pytest.raises(process.LabError, match="no daemon lab-host-1; there are: none"):
        daemons.named(lab, "lab-host-1")
    daemons.Fleet().remember(lab)
    with pytest.raises(process.LabError, match="no daemon lab-host-1; there are: .*nova-lite-compute-1, "):
        daemons.named(lab, "lab-host-1")
    assert daemons.named(lab, "nova-lite-compute-1").name == "nova-lite-compute-1"


def test_every_daemon_has_a_queue_of_its_own(lab: layout.Layout) -> None:
    fleet = daemons.Fleet(hosts=2, conductors=2, schedulers=1)
    names = list(daemons.processes(lab, fleet))
    assert names == [
        "nova-lite-embedded-1", "nova-lite-conductor-1", "nova-lite-conductor-2", "nova-lite-scheduler-1",
        "nova-lite-compute-1",
        "nova-lite-compute-2", "nova-lite-api-1",
    ]  # fmt: skip
    queues = [daemons.queue_of(name) for name in names[1:-1]]
    assert len(set(queues)) == len(queues)
    assert queues[-1] == "compute.lab-host-2"


def test_what_daemons_know_of_one_database_is_apart_from_the_other(lab: layout.Layout) -> None:
    places: dict[str, set[str]] = {}
    for database in ("mariadb", "postgresql"):
        found = daemons.processes(lab, daemons.Fleet(database=database, hosts=2, conductors=2))
        named = [each.env for name, each in found.items() if "conductor" in name or "compute" in name]
        places[database] = {env["OS_DEFAULT__STATE_PATH"] for env in named}
        assert len(places[database]) == len(named) == 4
    assert not places["mariadb"] & places["postgresql"]


def test_a_pid_of_another_process_is_not_taken_for_ours(tmp_path: pathlib.Path) -> None:
    stranger = process.Process("stranger", tmp_path)
    stranger.pid_file.write_text(f"{os.getpid()} 1\n")
    assert stranger.pid() is None
    stranger.kill(signal.SIGKILL)  # would end this test run
    assert stranger.stop() is False
    ours = process.Process("ours", tmp_path)
    ours.pid_file.write_text(f"{os.getpid()} {process.start_time(os.getpid())}\n")
    assert ours.pid() == os.getpid()


def test_waiting_says_what_did_not_come(tmp_path: pathlib.Path) -> None:
    with pytest.raises(process.LabError, match="broker: not ready after 0 s"):
        process.wait_for("broker", lambda: False, 0.01)
    with pytest.raises(process.LabError, match="broker: the process ended"):
        process.wait_for("broker", lambda: False, 5, alive=lambda: False)
    assert process.wait_for("broker", lambda: True, 0) < 1


def test_a_taken_port_is_replaced(tmp_path: pathlib.Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert process.free_port(port) != port
        with pytest.raises(process.LabError, match=f"port {port} belongs to another process"):
            process.Process("late", tmp_path, ["true"], port=port).start()


def test_a_spare_port_is_none_that_a_connection_may_get() -> None:
    first, _ = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    assert all(1024 < process.free_port() < first for _ in range(20))


def test_a_port_that_a_stranger_took_is_chosen_anew(lab: layout.Layout) -> None:
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the port may have been a lab's just now
        stranger.bind(("127.0.0.1", lab.ports["mariadb"]))
        stranger.listen()
        changed = layout.without_strangers(lab, {"amqp"})
    assert changed.ports["mariadb"] != lab.ports["mariadb"]
    assert {**changed.ports, "mariadb": 0} == {**lab.ports, "mariadb": 0}
    assert layout.load() == changed
