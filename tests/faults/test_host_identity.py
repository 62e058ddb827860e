"""R21: a host under a wrong name, with another's state, or before a wrong or an older database touches nothing."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from nova_lite import exception
from nova_lite.compute.manager import ComputeManager
from nova_lite.compute.power_states import PowerState
from nova_lite.db.api import cloud as cloud_identity
from nova_lite.db.api import services
from nova_lite.db.session import writer
from nova_lite.liveness import COMPUTE
from nova_lite.objects import HostIdentity, Service
from tests.harness.cloud import ADMIN, Cloud, until
from tests.harness.daemon import free_ports_in_a_row

QUICK = {"operations": {"heartbeat_interval_s": 0.1, "sweep_interval_s": 0.2, "power_sync_interval_s": 0.5}}


@pytest.fixture
def cloud(tmp_path: pathlib.Path) -> Iterator[Cloud]:
    with Cloud(tmp_path, hosts=2, options=QUICK) as running:
        yield running


def _file(cloud: Cloud, host: str) -> pathlib.Path:
    return cloud.directory / host / "compute_id"


def _kept(cloud: Cloud, host: str) -> HostIdentity:
    return HostIdentity.from_primitive(json.loads(_file(cloud, host).read_text()))


def _sql(statement: str) -> None:
    with writer() as session:
        session.execute(text(statement))


def _row_at_rest(host: str) -> Service:
    """Its service's row, when the last heartbeat of a life that has ended has been heard."""
    looks = [services.get_by_host(host, COMPUTE)]

    def is_at_rest() -> bool:
        looks.append(services.get_by_host(host, COMPUTE))
        return len(looks) > 2 and looks[-1] == looks[-2]

    until(is_at_rest, 10, lambda: f"{host} still beats", pause_s=0.5)
    return looks[-1]


def _refused(cloud: Cloud, host: str, words: str) -> None:
    """It does not start, says why, and nothing has changed anywhere."""
    row = _row_at_rest(host)
    files = {path.name: path.read_bytes() for path in (cloud.directory / host).iterdir()}
    with pytest.raises(exception.HostRefused, match=words):
        cloud.start_host(host)
    assert services.get_by_host(host, COMPUTE) == row
    after = {path.name: path.read_bytes() for path in (cloud.directory / host).iterdir()}
    assert after.pop("compute_id") and files.pop("compute_id", b"") is not None and after == files
    assert not {"destroy", "power_off", "delete_disks", "quarantine"} & {call for call, _ in
                                                                        cloud.drivers[host].plan.calls}  # fmt: skip


def test_each_host_has_an_identity_of_its_own_that_the_database_knows(cloud: Cloud) -> None:
    kept = {host: _kept(cloud, host) for host in ("host1", "host2")}
    assert {host: each.host for host, each in kept.items()} == {"host1": "host1", "host2": "host2"}
    assert kept["host1"].uuid != kept["host2"].uuid
    assert {each.cloud for each in kept.values()} == {cloud_identity.get().uuid}
    for host, each in kept.items():
        assert services.get_by_host(host, COMPUTE).identity == each.uuid
    before = _kept(cloud, "host1").beats
    cloud.stop("host1")
    assert _kept(cloud, "host1").beats > before
    cloud.start_host("host1")


def test_another_hosts_state_directory(cloud: Cloud) -> None:
    server = cloud.boot(availability_zone="nova:host1", token=ADMIN)["id"]
    cloud.stop("host1")
    cloud.stop("host2")
    shutil.rmtree(cloud.directory / "host2")
    shutil.copytree(cloud.directory / "host1", cloud.directory / "host2")
    _refused(cloud, "host2", "those of host 'host1'.*is host 'host2'")
    driver = cloud.start_host("host1")
    assert driver.guests[server].power_state == PowerState.RUNNING


def test_a_lost_state_directory_and_the_way_out(cloud: Cloud) -> None:
    """Or another machine of the same name: the database knows which identity the host has."""
    cloud.stop("host1")
    _file(cloud, "host1").unlink()
    _refused(cloud, "host1", "has lost its state directory")
    services.forget_identity("host1", COMPUTE)
    cloud.start_host("host1")
    assert services.get_by_host("host1", COMPUTE).identity == _kept(cloud, "host1").uuid


def test_a_host_of_before_there_were_identities_is_adopted(cloud: Cloud) -> None:
    server = cloud.boot(availability_zone="nova:host1", token=ADMIN)["id"]
    cloud.stop("host1")
    _file(cloud, "host1").unlink()
    _sql("UPDATE services SET identity = NULL, beats = 0")
    driver = cloud.start_host("host1")
    assert driver.guests[server].power_state == PowerState.RUNNING
    assert services.get_by_host("host1", COMPUTE).identity == _kept(cloud, "host1").uuid


def test_a_host_whose_service_an_operator_removed_registers_again(cloud: Cloud) -> None:
    before = services.get_by_host("host2", COMPUTE)
    services.destroy(before.uuid)
    until(lambda: services.list(COMPUTE, "host2"), 10, lambda: "it does not come back")
    after = services.get_by_host("host2", COMPUTE)
    assert (after.identity, after.beats > before.beats) == (before.identity, True)
    cloud.boot(availability_zone="nova:host2", token=ADMIN)


@pytest.mark.parametrize("what", ["UPDATE services SET beats = 1", "UPDATE cloud_identity SET mark = 1"])
def test_an_older_database(cloud: Cloud, what: str) -> None:
    """Restored from a backup: it does not know what happened since, this host's servers perhaps among it."""
    cloud.boot(availability_zone="nova:host1", token=ADMIN)
    cloud.stop("host1")
    _sql(what)
    _refused(cloud, "host1", "older copy")


def test_a_database_of_a_moment_ago_after_a_kill(cloud: Cloud) -> None:
    """Two heartbeats old, and the host had no time to say goodbye: what lay beside its guests then lies there now."""
    copied = services.get_by_host("host1", COMPUTE).beats
    until(lambda: services.get_by_host("host1", COMPUTE).beats >= copied + 3, 10, lambda: "no heartbeats")
    left = {path: path.read_bytes() for path in (cloud.directory / "host1").glob("compute_id*")}
    cloud.stop("host1")
    for path, content in left.items():
        path.write_bytes(content)
    _sql(f"UPDATE services SET beats = {copied} WHERE host = 'host1'")
    _refused(cloud, "host1", "older copy")


def test_another_database(cloud: Cloud) -> None:
    cloud.boot(availability_zone="nova:host1", token=ADMIN)
    cloud.stop("host1")
    _sql("UPDATE cloud_identity SET uuid = '99999999-0000-4000-8000-000000000000'")
    _refused(cloud, "host1", "belong to cloud .* but this database is that of cloud 99999999")


def test_a_database_that_is_restored_under_a_running_host_stops_it(cloud: Cloud) -> None:
    """Everything the old copy believes to be deleted or elsewhere is left alone."""
    server = cloud.boot(availability_zone="nova:host1", token=ADMIN)["id"]
    manager = cloud.services["host1"].manager
    assert isinstance(manager, ComputeManager)
    # A host that has hardly begun has nothing that a copy could be older than.
    until(lambda: manager._life._file.beats > 3, 10, lambda: "it does not count")
    _sql("UPDATE services SET beats = 1 WHERE host = 'host1'")
    until(lambda: manager._life.fence.why_shut, 10, lambda: "it notices nothing")
    assert "older copy" in str(manager._life.fence.why_shut)
    _sql(f"UPDATE instances SET deleted_at = '2020-01-01 00:00:00' WHERE uuid = '{server}'")
    manager._sync_power_states()
    manager.look_around(None)  # type: ignore[arg-type]
    time.sleep(0.5)
    assert cloud.drivers["host1"].guests[server].power_state == PowerState.RUNNING
    _sql(f"UPDATE instances SET deleted_at = NULL WHERE uuid = '{server}'")


# -- real processes -----------------------------------------------------------------------------------------------


class AllInOne:
    """The embedded cloud in a process, with fake hosts."""

    def __init__(self, state: pathlib.Path, port: int) -> None:
        program = "import sys; from nova_lite.cmd.all_in_one import main; sys.exit(main())"
        self._argv = [sys.executable, "-W", "ignore", "-c", program, "--fake", "--hosts", "2", "--state-dir",
                      str(state), "--port-base", str(port)]  # fmt: skip
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        self._environment = {**kept, "PYTHONPATH": str(pathlib.Path(__file__).resolve().parents[2])}
        self._log = state.parent / "log"

    def serve_once(self) -> None:
        """Until it serves, and a heartbeat longer."""
        with self._log.open("wb") as log:
            process = subprocess.Popen(self._argv, env=self._environment, stdout=log, stderr=log)
        try:
            until(lambda: b"nova-lite serves" in self._log.read_bytes() or process.poll() is not None, 40,
                  lambda: self._log.read_text()[-3000:], pause_s=0.1)  # fmt: skip
            assert process.poll() is None, self._log.read_text()[-3000:]
            time.sleep(0.5)
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()
            process.wait()

    def refused(self) -> tuple[int, str]:
        """Its exit code and its last words."""
        done = subprocess.run(self._argv, env=self._environment, capture_output=True, text=True, timeout=40)
        return done.returncode, done.stderr


@pytest.mark.processes
@pytest.mark.timeout(120)
def test_a_whole_cloud_before_an_older_and_before_an_empty_database(
    tmp_path: pathlib.Path,
) -> None:
    state = tmp_path / "state"
    cloud = AllInOne(state, free_ports_in_a_row())
    cloud.serve_once()
    database = next(state.glob("*.sqlite"))
    backup = database.read_bytes()
    cloud.serve_once()
    present = database.read_bytes()
    for content, words in ((backup, "older copy"), (None, "belong to cloud")):
        database.unlink()
        if content is not None:
            database.write_bytes(content)
        code, said = cloud.refused()
        assert code == 1
        assert "cannot start" in said and words in said and "doc/admin/host-identity.md" in said
        assert "Traceback" not in said
    database.unlink()
    database.write_bytes(present)
    cloud.serve_once()
