"""nova-lite-manage audit on a cloud in which something is wrong: it is found, and set right where there is proof."""

from __future__ import annotations

import datetime
import json
import logging
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import insert, text, update

from nova_lite import concurrency
from nova_lite.audit import gather
from nova_lite.audit.chore import Chore
from nova_lite.audit.neighbours import Doors, Hosts
from nova_lite.audit.world import World
from nova_lite.clock import utcnow
from nova_lite.cmd.manage import audit, program
from nova_lite.cmd.manage.answer import Answer
from nova_lite.compute.power_states import PowerState
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.compute.vm_states import VmState
from nova_lite.context import admin_context
from nova_lite.db.api import allocations, compute_nodes, console_tokens, instances, quotas
from nova_lite.db.models import ComputeNode, Operation, OperationEvent, QuotaUsage
from nova_lite.db.session import writer
from nova_lite.network import vifs
from nova_lite.objects import ConsoleAddress, ConsoleToken
from nova_lite.virt.fake.base import FakeGuest
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.builders import uuid_of
from tests.harness.cloud import CONF, PROJECT, Cloud, until

STRANGER = uuid_of("a server that nobody knows")
# Looks and conductors' rounds are quick here; tidying up is not, or it would be done before anybody looks.
OPTIONS = {"operations": {"sweep_interval_s": 30.0, "power_sync_interval_s": 30.0}}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("audit"), hosts=2, options=OPTIONS) as made:
        yield made


@pytest.fixture(autouse=True)
def clean(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test begins and ends with a cloud in which nothing is wrong."""
    # One clock writes here: what ended before we looked is not excused for seconds.
    monkeypatch.setattr(gather, "_SKEW", datetime.timedelta(0))
    cloud.wait_quiet()
    yield
    cloud.delete_servers()
    cloud.wait_quiet()


def _doors(cloud: Cloud) -> Doors:
    return Doors(Hosts(ComputeRpcAPI()), cloud.images, cloud.networks, cloud.volumes, with_statuses=True)


def _audit(cloud: Cloud, *words: str) -> Answer:
    args = program.parser().parse_args(["audit", "--settle", "0.2", *words])
    return audit.audited(CONF, args, _doors(cloud))


def _rules(answer: Answer) -> list[str]:
    return sorted(row["rule"] for row in answer.facts["findings"])


def _gone(cloud: Cloud) -> str:
    """A server that was deleted."""
    server_id = str(cloud.boot()["id"])
    cloud.delete(f"/servers/{server_id}")
    cloud.wait_gone(server_id)
    return server_id


def test_a_cloud_at_work_has_no_findings(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.boot()
    answer = _audit(cloud, "--verbose")
    assert (answer.code, answer.facts["findings"], answer.facts["unheard"]) == (audit.NONE, [], {})
    assert answer.facts["heard"] == ["host1", "host2"]
    assert answer.text.splitlines()[0] == "Nothing found."
    go_on = concurrency.Event()
    for driver in cloud.drivers.values():
        monkeypatch.setattr(driver.plan, "_sleep", lambda _: go_on.wait(30))
        driver.plan.delay("spawn", 1.0)
    booting = cloud.boot(wait=None)["id"]
    try:
        assert _audit(cloud).code == audit.NONE, "what is under way is no finding"
        assert instances.get(booting).vm_state == VmState.BUILDING
    finally:
        go_on.set()
        for driver in cloud.drivers.values():
            driver.plan.clear()
    cloud.wait(booting, "ACTIVE")


def test_leaks_in_the_database_are_found_and_repaired(cloud: Cloud) -> None:
    server_id = cloud.boot()["id"]
    gone = _gone(cloud)
    (node,) = compute_nodes.on_host("host1")
    allocations.claim(node.uuid, gone, 1, 64, 1)
    token = ConsoleToken(gone, "novnc", ConsoleAddress("vnc", 5900, "http://x"), utcnow() + datetime.timedelta(hours=1))
    console_tokens.create("token", token)
    ended = {"request_id": "req-planted", "instance_uuid": server_id, "project_id": PROJECT, "user_id": "demo"}
    with writer() as session:
        session.execute(
            update(QuotaUsage).where(QuotaUsage.scope_id == PROJECT, QuotaUsage.resource == "cores").values(used=77)
        )
        session.execute(update(ComputeNode).where(ComputeNode.host == "host2").values(vcpus_used=5))
        for action, args in (("stop", {}), ("changePassword", {"admin_password": "secret"})):
            values = {**ended, "action": action, "state": "done", "topic": "compute", "host": "host1", "args": args}
            session.execute(insert(Operation).values(**values, steps=[], attempt=1, finish_time=utcnow()))
        (first,) = session.execute(
            Operation.__table__.select().where(Operation.request_id == "req-planted", Operation.action == "stop")
        ).all()
        session.execute(insert(OperationEvent).values(operation_id=first.id, name="step", host="host1"))
    expected = [
        "books-are-right", "claim-has-owner", "events-are-closed", "password-is-forgotten", "quota-is-counted",
        "token-has-console",
    ]  # fmt: skip
    found = _audit(cloud)
    assert (found.code, _rules(found)) == (audit.FOUND, expected)
    assert quotas.audit() and allocations.audit(), "looking changes nothing"
    repaired = _audit(cloud, "--delete-stale")
    assert (repaired.code, _rules(repaired)) == (audit.REPAIRED, expected), repaired.text
    assert all(row["repaired"] for row in repaired.facts["findings"])
    assert _audit(cloud).code == audit.NONE


def test_rows_that_cannot_be_read_are_found_and_hide_nothing(cloud: Cloud) -> None:
    server_id, other = str(cloud.boot()["id"]), str(cloud.boot()["id"])
    (node,) = compute_nodes.on_host("host1")
    allocations.claim(node.uuid, STRANGER, 1, 64, 1)
    with writer() as session:
        (flavor,) = session.execute(text("SELECT flavor FROM instances WHERE uuid = :u"), {"u": server_id}).one()
        (args,) = session.execute(
            text("SELECT args FROM operations WHERE instance_uuid = :u AND action = 'create'"), {"u": other}
        ).one()
        session.execute(text("UPDATE instances SET flavor = '{}' WHERE uuid = :u"), {"u": server_id})
        session.execute(text("UPDATE operations SET args = '{not' WHERE instance_uuid = :u"), {"u": other})
    try:
        answer = _audit(cloud)
        assert _rules(answer) == ["claim-has-owner", "operation-is-readable", "row-is-readable"]
        assert server_id in answer.text and answer.code == audit.FOUND
    finally:
        with writer() as session:
            mended = {"u": server_id, "flavor": flavor}
            session.execute(text("UPDATE instances SET flavor = :flavor WHERE uuid = :u"), mended)
            session.execute(
                text("UPDATE operations SET args = :args WHERE instance_uuid = :u"), {"u": other, "args": args}
            )
        allocations.release(STRANGER)


def test_leaks_on_a_host_are_found_and_what_is_proved_goes(cloud: Cloud) -> None:
    server_id, gone = str(cloud.boot()["id"]), _gone(cloud)
    home = instances.get(server_id).host
    driver = cloud.drivers["host2" if home == "host1" else "host1"]
    for uuid in (gone, STRANGER):
        driver.guests[uuid] = FakeGuest(uuid, "left", PowerState.RUNNING, 1)
        driver.disks.add(uuid)
    expected = ["deleted-guest-is-gone", "disks-have-server", "disks-have-server", "guest-has-server"]
    found = _audit(cloud, "--host", driver.hostname)
    assert (found.code, _rules(found)) == (audit.FOUND, expected)
    assert _audit(cloud, "--host", str(home)).code == audit.NONE
    assert _audit(cloud, "--server", gone).code == audit.FOUND
    assert _audit(cloud, "--server", server_id).code == audit.NONE
    left = _audit(cloud, "--delete-stale")
    assert left.code == audit.FOUND
    assert {row["id"]: row["repaired"] for row in left.facts["findings"]} == {gone: True, STRANGER: False}
    assert set(driver.guests) == {STRANGER}, "what nobody knows is never touched"
    until(lambda: driver.guests[STRANGER].quarantine, 10, lambda: "the host does not set it apart")
    # Under its lock: the host may be writing down that it is set apart, and would find that file at its next start.
    with cloud.services[driver.hostname].manager._host.locks.hold(STRANGER):  # type: ignore[attr-defined]
        driver.discard(STRANGER)


def test_a_guest_that_is_not_there_is_no_leak_but_is_found(cloud: Cloud) -> None:
    server_id = str(cloud.boot()["id"])
    driver = cloud.drivers[str(instances.get(server_id).host)]
    guest = driver.guests.pop(server_id)
    answer = _audit(cloud, "--delete-stale")
    assert (answer.code, _rules(answer)) == (audit.FOUND, ["active-server-runs"])
    driver.guests[server_id] = guest


def test_leaks_at_the_neighbours_are_found_and_given_back(cloud: Cloud) -> None:
    gone, ctxt = _gone(cloud), admin_context()
    volume_id = cloud.volumes.make(ctxt)
    cloud.volumes.attachment_create(ctxt, volume_id, gone)
    port = cloud.networks.new_port(PROJECT, cloud.networks.first_network(), name="left")
    planted = {"device_id": gone, "device_owner": "compute:nova", "description": vifs.MADE}
    cloud.networks.ask(PROJECT, "PUT", f"ports/{port['id']}", {"port": planted}, "admin,member")
    expected = ["hold-has-server", "port-has-server"]
    found = _audit(cloud)
    assert (found.code, _rules(found)) == (audit.FOUND, expected)
    assert _audit(cloud, "--delete-stale").code == audit.REPAIRED
    assert cloud.networks.store.find("port", port["id"]) is None
    assert cloud.volumes.show(volume_id)["status"] == "available"
    cloud.volumes.delete(ctxt, volume_id)


def test_who_does_not_answer_is_not_heard_and_not_empty(cloud: Cloud) -> None:
    server_id = str(cloud.boot()["id"])
    home = str(instances.get(server_id).host)
    cloud.silence(home)
    try:
        answer = _audit(cloud, "--verbose")
        assert (answer.code, answer.facts["unheard"]) == (audit.NONE, {home: gather.DOWN})
        assert f"Not heard, nothing is known of it: {home} (is down)" in answer.text
        cloud.networks.plan.add(FaultRule("GET ports", FaultKind.RAISE, times=100))
        answer = _audit(cloud)
        assert answer.code == audit.ERROR
        assert answer.facts["unheard"].keys() == {home, "network service"}
    finally:
        cloud.networks.plan.clear()
        cloud.revive(home)


@pytest.mark.parametrize("words", [["--host", "host9"], ["--server", "no-uuid"], ["--server", STRANGER]])
def test_what_is_not_there_is_bad_input(cloud: Cloud, words: list[str]) -> None:
    with pytest.raises(audit.BadInput):
        audit.check(program.parser().parse_args(["audit", *words]))


def test_every_format_says_the_same(cloud: Cloud) -> None:
    gone = _gone(cloud)
    (node,) = compute_nodes.on_host("host1")
    allocations.claim(node.uuid, gone, 1, 64, 1)
    (row,) = json.loads(_audit(cloud, "--format", "json").text)["findings"]
    assert (row["invariant"], row["rule"], row["id"], row["host"]) == ("I5", "claim-has-owner", gone, "host1")
    assert _audit(cloud, "--format", "value").text.startswith(f"I5 claim {gone} a claim of {gone}")
    assert gone in _audit(cloud).text and "Invariant" in _audit(cloud).text
    lines = _audit(cloud, "--format", "metrics").text.splitlines()
    assert 'nova_lite_audit_findings{invariant="I5"} 1.0' in lines
    assert 'nova_lite_audit_findings{invariant="I1"} 0.0' in lines
    assert "nova_lite_hosts_down 0.0" in lines
    assert _audit(cloud, "--delete-stale").code == audit.REPAIRED


def test_a_conductor_says_once_what_stands_in_two_looks(
    cloud: Cloud, tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone = _gone(cloud)
    (node,) = compute_nodes.on_host("host1")
    mine = [True]
    file = tmp_path / "nova_lite.prom"

    def look() -> World:
        return gather.look(_doors(cloud), 2.0)

    chore = Chore(look, lambda: mine[0], lambda: 1.5, str(file))
    allocations.claim(node.uuid, gone, 1, 64, 1)
    with caplog.at_level(logging.INFO, "nova_lite.audit.chore"):
        told = []
        for _ in range(3):
            chore.run()
            told.append([record.message for record in caplog.records])
        assert [len(lines) for lines in told] == [0, 1, 1]
        assert gone in told[-1][0] and "--delete-stale (release claim)" in told[-1][0]
        assert 'nova_lite_audit_findings{invariant="I5"} 1.0' in file.read_text()
        assert "nova_lite_sweep_age_seconds 1.5" in file.read_text()
        allocations.release(gone)
        chore.run()
        assert "no longer so" in caplog.records[-1].message
        assert 'nova_lite_audit_findings{invariant="I5"} 0.0' in file.read_text()
        mine[0] = False
        file.unlink()
        chore.run()
        assert not file.exists(), "another conductor audits"


def test_batches_from_a_host_over_the_wire_are_the_whole(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    from nova_lite.compute import survey

    monkeypatch.setattr(survey.batch, "__defaults__", (None, 1))
    servers = [str(cloud.boot()["id"]) for _ in range(3)]
    monkeypatch.setattr(gather, "_CHUNK", 1)
    answer = _audit(cloud)
    assert (answer.code, answer.facts["servers"]) == (audit.NONE, len(servers))
    heard = Hosts(ComputeRpcAPI())(["host1", "host2"])
    found: list[Any] = [presence.uuid for presences in heard.hosts.values() for presence in presences]
    assert sorted(found) == sorted(servers)
    assert heard.unheard == {}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--host", "host9"], audit.BAD_INPUT),
        (["--format", "poem"], audit.BAD_INPUT),
        (["--no-hosts", "--settle", "0.1", "--json"], audit.ERROR),
    ],
)
def test_the_command_has_the_exit_codes_of_novas(
    cloud: Cloud, tmp_path: pathlib.Path, words: list[str], code: int
) -> None:
    """As a process of its own, with a database and no neighbours: that nobody answers is an error, and said."""
    config = tmp_path / "nova-lite.conf"
    config.write_text(
        f"[database]\nconnection = sqlite:///{cloud.directory}/nova.sqlite\n"
        "[glance]\nendpoint_override = http://127.0.0.1:1\nnum_retries = 0\n[cinder]\nhttp_retries = 0\n"
        "[network]\nbackend = user\n"
    )
    command = "from nova_lite.cmd.manage import main; raise SystemExit(main())"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", command, "--config-file", str(config), "audit", *words],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    if code == audit.ERROR:
        assert "image service" in json.loads(done.stdout)["unheard"]
    else:
        assert "host9" in done.stderr or "poem" in done.stderr
