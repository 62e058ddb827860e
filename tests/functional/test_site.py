"""Zones, services and events on a cloud of several hosts: what operators and other services say takes effect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.compute import external_events
from nova_lite.compute.power_states import PowerState
from nova_lite.db.api import instances
from tests.harness.cloud import ADMIN, CTXT, PROJECT, USER, Answer, Cloud, until


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    options = {"operations": {"power_sync_interval_s": 600}, "scheduler": {"host_cache_s": 0.0}}
    with Cloud(tmp_path_factory.mktemp("site"), hosts=3, options=options) as running:
        yield running


def _admin(cloud: Cloud, method: str, path: str, body: Any = None) -> Answer:
    answer = cloud.request(method, path, body, token=ADMIN)
    assert answer.status < 300, answer.body
    return answer


def _service(cloud: Cloud, host: str) -> dict[str, Any]:
    listed = _admin(cloud, "GET", f"/os-services?binary=nova-compute&host={host}").json["services"]
    return dict(listed[0]) if listed else {}


def _remove(cloud: Cloud, *servers: str) -> None:
    for server in servers:
        assert cloud.delete(f"/servers/{server}").status == 204
    for server in servers:
        cloud.wait_gone(server)
    cloud.wait_quiet()


def test_a_zone_is_made_used_and_kept(cloud: Cloud) -> None:
    body = {"aggregate": {"name": "east", "availability_zone": "east"}}
    number = _admin(cloud, "POST", "/os-aggregates", body).json["aggregate"]["id"]
    action = f"/os-aggregates/{number}/action"
    _admin(cloud, "POST", action, {"add_host": {"host": "host2"}})
    server = cloud.boot(availability_zone="east")
    assert (server["OS-EXT-SRV-ATTR:host"], server["OS-EXT-AZ:availability_zone"]) == ("host2", "east")
    for body in ({"remove_host": {"host": "host2"}}, {"add_host": {"host": "host2"}}):
        assert cloud.post(action, body, token=ADMIN).status == 409
    renamed = {"set_metadata": {"metadata": {"availability_zone": "west"}}}
    assert cloud.post(action, renamed, token=ADMIN).status == 400
    _remove(cloud, server["id"])
    _admin(cloud, "POST", action, {"remove_host": {"host": "host2"}})
    _admin(cloud, "DELETE", f"/os-aggregates/{number}")


def test_a_host_that_is_forced_down_gets_no_servers_and_keeps_its_own(cloud: Cloud) -> None:
    home = cloud.boot()["OS-EXT-SRV-ATTR:host"]
    (kept,) = cloud.get("/servers").json["servers"]
    path = f"/os-services/{_service(cloud, home)['id']}"
    answer = _admin(cloud, "PUT", path, {"forced_down": True})
    assert (answer.json["service"]["state"], answer.json["service"]["forced_down"]) == ("down", True)
    shown = cloud.get(f"/servers/{kept['id']}", token=ADMIN).json["server"]
    assert (shown["status"], shown["host_status"]) == ("ACTIVE", "DOWN")
    others = [cloud.boot() for _ in range(2)]
    assert home not in {server["OS-EXT-SRV-ATTR:host"] for server in others}
    assert _admin(cloud, "PUT", path, {"forced_down": False}).json["service"]["state"] == "up"
    _remove(cloud, kept["id"], *(server["id"] for server in others))


def test_a_build_on_a_host_that_is_forced_down_goes_elsewhere(cloud: Cloud) -> None:
    """The daemon lives and builds on: it is overtaken, and leaves nothing behind."""
    for driver in cloud.drivers.values():
        driver.plan.delay("spawn", 1.0)
    server = str(cloud.boot(wait=None)["id"])

    def home() -> str:
        return str((cloud.show(server) or {}).get("OS-EXT-SRV-ATTR:host") or "")

    until(home, 10, lambda: "it has no host")
    first = home()
    path = f"/os-services/{_service(cloud, first)['id']}"
    _admin(cloud, "PUT", path, {"forced_down": True})
    assert cloud.wait(server, "ACTIVE")["OS-EXT-SRV-ATTR:host"] != first
    cloud.wait_quiet()
    _admin(cloud, "PUT", path, {"forced_down": False})
    for driver in cloud.drivers.values():
        driver.plan.clear()
    _remove(cloud, server)


def test_a_service_that_was_forgotten_announces_itself_again(cloud: Cloud) -> None:
    server = cloud.boot()
    home = server["OS-EXT-SRV-ATTR:host"]
    busy = cloud.delete(f"/os-services/{_service(cloud, home)['id']}", token=ADMIN)
    assert busy.status == 409
    _remove(cloud, server["id"])
    former = _service(cloud, home)["id"]
    _admin(cloud, "DELETE", f"/os-services/{former}")
    until(lambda: _service(cloud, home), 5, lambda: f"{home} did not come back")
    assert _service(cloud, home)["id"] != former
    assert len(_admin(cloud, "GET", "/os-hypervisors").json["hypervisors"]) == 3


def _event(cloud: Cloud, server: str, name: str, tag: str | None, token: str = ADMIN) -> Answer:
    event = {"name": name, "server_uuid": server, **({"tag": tag} if tag else {})}
    return cloud.post("/os-server-external-events", {"events": [event]}, token=token, version="2.93")


def test_a_machine_that_was_switched_off_is_seen_at_once(cloud: Cloud) -> None:
    """The periodic look is ten minutes away: only the event can tell."""
    server = cloud.boot()
    driver = cloud.drivers[server["OS-EXT-SRV-ATTR:host"]]
    driver.guests[server["id"]].power_state = PowerState.SHUTDOWN
    assert _event(cloud, server["id"], "power-update", "POWER_OFF", USER).status == 403
    answer = _event(cloud, server["id"], "power-update", "POWER_OFF")
    assert answer.status == 200 and answer.json["events"][0]["code"] == 200
    assert cloud.wait(server["id"], "SHUTOFF")["OS-EXT-STS:power_state"] == PowerState.SHUTDOWN
    _remove(cloud, server["id"])


def test_events_reach_the_host_of_their_server(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str | None]] = []
    for name in external_events.HANDLERS:
        monkeypatch.setitem(
            external_events.HANDLERS, name, lambda host, ctxt, server, event: told.append((host.name, event.tag))
        )
    server = cloud.boot()
    events = [{"name": "volume-reimaged", "server_uuid": server["id"], "tag": tag} for tag in ("a", "b")]
    missing = {"name": "network-changed", "server_uuid": "00000000-0000-4000-8000-000000000000"}
    body = {"events": [*events, missing]}
    answer = cloud.post("/os-server-external-events", body, token=ADMIN, version="2.93")
    assert answer.status == 207 and [each["code"] for each in answer.json["events"]] == [200, 200, 404]
    home = server["OS-EXT-SRV-ATTR:host"]
    until(lambda: sorted(told) == [(home, "a"), (home, "b")], 5, lambda: str(told))
    _remove(cloud, server["id"])


def test_a_port_that_somebody_deleted_leaves_the_server(cloud: Cloud) -> None:
    server = cloud.boot()
    (vif,) = instances.get(server["id"]).network_info
    assert _event(cloud, server["id"], "network-vif-deleted", vif.id).status == 200
    until(lambda: not instances.get(server["id"]).network_info, 5, lambda: "the interface is still there")
    _remove(cloud, server["id"])


def test_a_volume_that_grew_is_seen_by_its_guest(cloud: Cloud) -> None:
    server = cloud.boot()
    volume = cloud.volumes.make(CTXT)
    body = {"volumeAttachment": {"volumeId": volume}}
    assert cloud.post(f"/servers/{server['id']}/os-volume_attachments", body).status == 202
    until(lambda: cloud.volumes.show(volume)["status"] == "in-use", 10, lambda: str(cloud.volumes.show(volume)))
    cloud.volumes.ask(PROJECT, "POST", f"/volumes/{volume}/action", {"os-extend": {"new_size": 7}})
    driver = cloud.drivers[server["OS-EXT-SRV-ATTR:host"]]
    assert _event(cloud, server["id"], "volume-extended", volume).status == 200
    until(lambda: ("extend_volume", server["id"]) in driver.plan.calls, 5, lambda: "the guest was not told")
    (device,) = [each for each in instances.get(server["id"]).block_devices if each.volume_id == volume]
    assert device.volume_size == 7
    assert _event(cloud, server["id"], "volume-extended", "00000000-0000-4000-8000-000000000000").status == 200
    _remove(cloud, server["id"])


def test_usage_counts_a_server_that_is_gone(cloud: Cloud) -> None:
    project = USER.split(":")[1]
    server = cloud.boot(name="counted")
    _remove(cloud, server["id"])
    start = server["created"].rstrip("Z")
    path = f"/os-simple-tenant-usage/{project}?start={start}&end=2099-01-01T00:00:00"
    found = {each["name"]: each for each in cloud.get(path).json["tenant_usage"]["server_usages"]}
    assert found["counted"]["state"] == "terminated" and found["counted"]["ended_at"] is not None
    assert found["counted"]["instance_id"] == server["id"]
