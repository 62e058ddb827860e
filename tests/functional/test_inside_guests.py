"""Passwords, crash dumps, diagnostics and topologies through the whole cloud."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nova_lite.db.api import instances, operations
from nova_lite.virt.fake import FakeDriver
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, Cloud, until


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=2) as running:
        yield running


@pytest.fixture(autouse=True)
def consistent(cloud: Cloud) -> Iterator[None]:
    yield
    for driver in cloud.drivers.values():
        driver.plan.clear()
    cloud.wait_quiet()


def _driver(cloud: Cloud, server: dict[str, object]) -> FakeDriver:
    return cloud.drivers[str(server["OS-EXT-SRV-ATTR:host"])]


# -- passwords ----------------------------------------------------------------------------------------


def test_the_guest_gets_the_password_and_the_journal_forgets_it(cloud: Cloud) -> None:
    server = cloud.boot()
    _driver(cloud, server).plan.delay("set_admin_password", 0.3)
    assert cloud.act(server["id"], "changePassword", {"adminPass": "s3cret"}).status == 202
    shown = cloud.show(server["id"])
    assert shown is not None and (shown["status"], shown["OS-EXT-STS:task_state"]) == ("PASSWORD", "updating_password")
    cloud.wait(server["id"], "ACTIVE")
    assert _driver(cloud, server).guests[server["id"]].admin_password == "s3cret"
    assert "s3cret" not in str(operations.list_for_instance(server["id"]))


def test_a_password_that_a_delete_overtakes_is_forgotten_too(cloud: Cloud) -> None:
    server = cloud.boot()
    _driver(cloud, server).plan.delay("set_admin_password", 0.5)
    cloud.act(server["id"], "changePassword", {"adminPass": "s3cret"})
    assert cloud.delete(f"/servers/{server['id']}").status == 204
    assert "s3cret" not in str(operations.list_for_instance(server["id"]))
    cloud.wait_gone(server["id"])


def test_a_guest_that_does_not_obey_is_active_again(cloud: Cloud) -> None:
    server = cloud.boot()
    _driver(cloud, server).plan.add(FaultRule("set_admin_password", FaultKind.RAISE))
    assert cloud.act(server["id"], "changePassword", {"adminPass": "s3cret"}).status == 202
    cloud.wait(server["id"], "ACTIVE")
    (newest, *_) = operations.list_for_instance(server["id"])
    assert (newest.action, newest.state, newest.args) == ("changePassword", "failed", {})


@pytest.mark.parametrize("body", [None, {}, {"adminPass": 1}, {"adminPass": None}, {"adminPass": "x", "zzz": 1}])
def test_no_password(cloud: Cloud, body: object) -> None:
    assert cloud.act(cloud.boot()["id"], "changePassword", body).status == 400


def test_a_locked_server_says_so_in_other_words(cloud: Cloud) -> None:
    server = cloud.boot()["id"]
    cloud.act(server, "lock")
    for action, body in (("changePassword", {"adminPass": "x"}), ("restore", None)):
        answer = cloud.act(server, action, body)
        message = f"Instance {server} is in an invalid state for '{action}'"
        assert (answer.status, answer.json["conflictingRequest"]["message"]) == (409, message)
    assert cloud.act(server, "trigger_crash_dump").json["conflictingRequest"]["message"] == (
        f"Instance {server} is locked"
    )


def test_what_a_hypervisor_cannot_do_fails_and_changes_nothing(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is refused, which is no fault: nothing for the log's tracebacks, and no host's name for users."""
    server = cloud.boot()
    plain = frozenset({"power"})
    for driver in cloud.drivers.values():
        monkeypatch.setattr(driver, "capabilities", plain, raising=False)
    assert cloud.act(server["id"], "changePassword", {"adminPass": "x"}).status == 202
    assert cloud.wait(server["id"], "ACTIVE")["status"] == "ACTIVE"
    (newest, *_) = operations.list_for_instance(server["id"])
    assert newest.message == "The hypervisor of the server's host cannot 'changePassword'."
    fault = instances.get(server["id"]).fault
    assert fault is not None and (fault.code, fault.details) == (501, "")
    assert cloud.get(f"/servers/{server['id']}/diagnostics", token=ADMIN).status == 501
    wanted = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
    console = cloud.post(f"/servers/{server['id']}/remote-consoles", wanted)
    assert (console.status, list(console.json)) == (501, ["notImplemented"])
    assert [record.message for record in caplog.records if record.exc_info] == []


# -- crash dumps --------------------------------------------------------------------------------------


def test_a_guest_is_interrupted(cloud: Cloud) -> None:
    server = cloud.boot()
    answer = cloud.act(server["id"], "trigger_crash_dump")
    assert (answer.status, answer.body) == (202, b"")
    guest = _driver(cloud, server).guests[server["id"]]
    until(lambda: guest.nmis == 1, 10, lambda: "no interrupt")
    assert cloud.wait(server["id"], "ACTIVE")["status"] == "ACTIVE"
    assert cloud.act(server["id"], "trigger_crash_dump", version="2.16").status == 404
    assert cloud.act(server["id"], "trigger_crash_dump", {"zzz": 1}).status == 400
    cloud.act(server["id"], "os-stop")
    cloud.wait(server["id"], "SHUTOFF")
    message = f"Cannot 'trigger_crash_dump' instance {server['id']} while it is in vm_state stopped"
    answer = cloud.act(server["id"], "trigger_crash_dump")
    assert (answer.status, answer.json["conflictingRequest"]["message"]) == (409, message)


# -- diagnostics --------------------------------------------------------------------------------------


def test_diagnostics_in_both_forms(cloud: Cloud) -> None:
    server = cloud.boot(config_drive=True)
    path = f"/servers/{server['id']}/diagnostics"
    free = cloud.get(path, token=ADMIN, version="2.47").json
    assert free["memory"] == server["flavor"]["ram"] * 1024 and "vda_read_req" in free and "cpu0_time" in free
    fixed = cloud.get(path, token=ADMIN).json
    assert (fixed["state"], fixed["num_cpus"], fixed["num_nics"]) == ("running", 1, len(fixed["nic_details"]))
    assert fixed["config_drive"] is True
    assert cloud.get(path).status == 403


def test_a_guest_that_is_off_has_none(cloud: Cloud) -> None:
    server = cloud.boot()["id"]
    cloud.act(server, "os-stop")
    cloud.wait(server, "SHUTOFF")
    answer = cloud.get(f"/servers/{server}/diagnostics", token=ADMIN)
    message = f"Cannot 'get_diagnostics' instance {server} while it is in power state shutdown"
    assert (answer.status, answer.json["conflictingRequest"]["message"]) == (409, message)


def test_a_server_without_a_host_is_not_ready(cloud: Cloud) -> None:
    huge = {"flavor": {"name": "huge", "id": "huge", "ram": 64, "vcpus": 1, "disk": 9_000_000}}
    assert cloud.post("/flavors", huge, token=ADMIN).status == 200
    server = cloud.boot(flavorRef="huge", wait=None)["id"]
    cloud.wait(server, "ERROR")
    answer = cloud.get(f"/servers/{server}/diagnostics", token=ADMIN)
    assert (answer.status, answer.json["conflictingRequest"]["message"]) == (409, f"Instance {server} is not ready")
    assert cloud.delete(f"/servers/{server}").status == 204
    cloud.wait_gone(server)


# -- topology -----------------------------------------------------------------------------------------


def test_the_topology_is_the_flavors(cloud: Cloud) -> None:
    flavor = {"flavor": {"name": "numa", "id": "numa", "ram": 512, "vcpus": 4, "disk": 1}}
    assert cloud.post("/flavors", flavor, token=ADMIN).status == 200
    specs = {"extra_specs": {"hw:numa_nodes": "2"}}
    assert cloud.post("/flavors/numa/os-extra_specs", specs, token=ADMIN).status == 200
    path = f"/servers/{cloud.boot(flavorRef='numa')['id']}/topology"
    shown = cloud.get(path).json
    assert [node["vcpu_set"] for node in shown["nodes"]] == [[0, 1], [2, 3]]
    assert "host_node" not in shown["nodes"][0]
    assert cloud.get(path, token=ADMIN).json["nodes"][1]["host_node"] == 0
    assert cloud.get(f"/servers/{cloud.boot()['id']}/topology").json == {"nodes": [], "pagesize_kb": None}
    assert cloud.get(path, version="2.77").status == 404


# -- the guest's own password -------------------------------------------------------------------------


def test_the_password_a_guest_posted_is_shown_until_it_is_cleared(cloud: Cloud) -> None:
    from nova_lite.compute.doors.guest_password import KEY
    from nova_lite.db.api import instances

    server = cloud.boot()["id"]
    path = f"/servers/{server}/os-server-password"
    assert cloud.get(path).json == {"password": ""}
    assert instances.update_if(server, {"system_metadata": {KEY: "c2VjcmV0", "other": 1}})
    assert cloud.get(path).json == {"password": "c2VjcmV0"}
    assert (cloud.delete(path).status, cloud.delete(path).status) == (204, 204)
    assert cloud.get(path).json == {"password": ""}
    assert instances.get(server).system_metadata == {"other": 1}
