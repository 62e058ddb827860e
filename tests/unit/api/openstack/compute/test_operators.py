"""What clients and operators read: limits, extensions, services, hypervisors, zones, instance actions."""

from __future__ import annotations

import pytest

from nova_lite import liveness
from nova_lite.clock import utcnow
from nova_lite.db.api import aggregates, compute_nodes, instances, operations, quotas, services
from nova_lite.objects import OperationState
from tests.harness.builders import make_node, uuid_of
from tests.harness.compute_api import ComputeApi, FakeCompute
from tests.harness.contract import material
from tests.harness.database import make_instance


@pytest.fixture
def cloud(api: ComputeApi) -> ComputeApi:
    """Two compute hosts, one of them in a zone and down; a conductor."""
    for host in ("host1", "host2"):
        services.register(host, liveness.COMPUTE, "compute", "epoch")
        compute_nodes.upsert(make_node(host))
    services.register("control", "nova-lite-conductor", "conductor", "epoch")
    rack = aggregates.create("rack", {"availability_zone": "far"})
    aggregates.add_host(rack, "host2")
    services.set_forced_down(services.get_by_host("host2", liveness.COMPUTE).uuid, True)
    return api


# -- limits -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["2.1", "2.35", "2.36", "2.38", "2.39", "2.56", "2.57", "2.96"])
def test_limits_have_the_samples_keys(api: ComputeApi, number: str) -> None:
    try:
        paths = material.operations()["GET /limits"]["response_samples"]
        sample = material.sample(
            material.samples_at(paths, material.parse_version(number))["limits/limit-get-resp.json"]
        )
    except material.ContractMissing as error:
        pytest.skip(str(error))
    assert api("GET", "/limits", version=number).json == sample


def test_limits_count_what_is_used(api: ComputeApi) -> None:
    quotas.set_limit("project", "cores", 7)
    answer = api("GET", "/limits", version="2.57").json["limits"]["absolute"]
    assert (answer["maxTotalCores"], answer["totalCoresUsed"]) == (7, 0)


def test_limits_of_another_project_are_for_administrators(api: ComputeApi) -> None:
    quotas.set_limit("other", "cores", 9)
    assert api("GET", "/limits?tenant_id=other").status == 403
    other = api("GET", "/limits?tenant_id=other", admin=True).json["limits"]["absolute"]
    assert other["maxTotalCores"] == 9
    assert api("GET", "/limits?zzz=1", version="2.75").status == 400


# -- extensions -------------------------------------------------------------------------------------


def test_extensions_have_the_samples_aliases(api: ComputeApi) -> None:
    try:
        sample = material.sample("extension-info/extensions-list-resp.json")
    except material.ContractMissing as error:
        pytest.skip(str(error))
    listed = api("GET", "/extensions").json["extensions"]
    for key in ("alias", "name", "namespace", "updated", "links"):
        assert [each[key] for each in listed] == [each[key] for each in sample["extensions"]]
    assert all(set(each) == set(sample["extensions"][0]) for each in listed)
    assert api("GET", "/extensions/os-keypairs").json["extension"]["alias"] == "os-keypairs"
    assert api("GET", "/extensions/nothing").status == 404


# -- services and zones -----------------------------------------------------------------------------


def test_services(cloud: ComputeApi) -> None:
    assert cloud("GET", "/os-services").status == 403
    listed = cloud("GET", "/os-services", version="2.53", admin=True).json["services"]
    shown = {(each["binary"], each["host"]): each for each in listed}
    assert set(shown) == {("nova-compute", "host1"), ("nova-compute", "host2"), ("nova-conductor", "control")}
    assert shown[("nova-compute", "host1")]["state"] == "up"
    assert shown[("nova-compute", "host2")]["state"] == "down"
    assert shown[("nova-compute", "host2")]["zone"] == "far"
    assert shown[("nova-conductor", "control")]["zone"] == "internal"


@pytest.mark.parametrize(
    ("query", "count"), [("binary=nova-compute", 2), ("binary=nova-lite-compute", 2), ("host=host1", 1), ("host=x", 0)]
)
def test_services_by_binary_and_host(cloud: ComputeApi, query: str, count: int) -> None:
    assert len(cloud("GET", f"/os-services?{query}", admin=True).json["services"]) == count


def test_zones(cloud: ComputeApi) -> None:
    listed = cloud("GET", "/os-availability-zone").json["availabilityZoneInfo"]
    assert listed == [
        {"zoneName": "far", "zoneState": {"available": True}, "hosts": None},
        {"zoneName": "nova", "zoneState": {"available": True}, "hosts": None},
    ]
    assert cloud("GET", "/os-availability-zone/detail").status == 403
    detailed = cloud("GET", "/os-availability-zone/detail", admin=True).json["availabilityZoneInfo"]
    zones = {zone["zoneName"]: zone for zone in detailed}
    assert set(zones) == {"far", "nova", "internal"}
    host = zones["far"]["hosts"]["host2"]["nova-compute"]
    assert (host["active"], host["available"]) == (True, False)


# -- hypervisors ------------------------------------------------------------------------------------


def test_hypervisors(cloud: ComputeApi) -> None:
    assert cloud("GET", "/os-hypervisors").status == 403
    old = cloud("GET", "/os-hypervisors", admin=True).json["hypervisors"]
    assert [each["hypervisor_hostname"] for each in old] == ["host1", "host2"]
    assert isinstance(old[0]["id"], int)
    new = cloud("GET", "/os-hypervisors/detail", version="2.88", admin=True).json["hypervisors"]
    assert (new[0]["id"], new[0]["state"], new[1]["state"]) == (uuid_of("node host1"), "up", "down")
    assert "vcpus" not in new[0]
    assert new[0]["uptime"] is None


def test_one_hypervisor(cloud: ComputeApi) -> None:
    (first, _) = cloud("GET", "/os-hypervisors", admin=True).json["hypervisors"]
    assert cloud("GET", f"/os-hypervisors/{first['id']}", admin=True).status == 200
    assert cloud("GET", "/os-hypervisors/99", admin=True).status == 404
    uuid = uuid_of("node host1")
    assert cloud("GET", f"/os-hypervisors/{uuid}", version="2.53", admin=True).json["hypervisor"]["id"] == uuid
    assert cloud("GET", f"/os-hypervisors/{uuid_of('x')}", version="2.53", admin=True).status == 404
    assert cloud("GET", f"/os-hypervisors/{first['id']}", version="2.53", admin=True).status == 400
    assert cloud("GET", f"/os-hypervisors/{first['id']}/uptime", admin=True).status == 501
    assert cloud("GET", f"/os-hypervisors/{uuid}/uptime", version="2.88", admin=True).status == 404


def test_hypervisors_page_and_search(cloud: ComputeApi) -> None:
    uuid = uuid_of("node host1")
    page = cloud("GET", "/os-hypervisors?limit=1", version="2.53", admin=True).json
    assert page["hypervisors_links"][0]["href"] == f"http://cloud:8774/v2.1/os-hypervisors?limit=1&marker={uuid}"
    rest = cloud("GET", f"/os-hypervisors?marker={uuid}", version="2.53", admin=True).json["hypervisors"]
    assert [each["hypervisor_hostname"] for each in rest] == ["host2"]
    assert cloud("GET", "/os-hypervisors?marker=zzz", version="2.53", admin=True).status == 400
    search = "/os-hypervisors?hypervisor_hostname_pattern="
    assert len(cloud("GET", f"{search}t1", version="2.53", admin=True).json["hypervisors"]) == 1
    missing = cloud("GET", f"{search}zzz", version="2.53", admin=True)
    assert (missing.status, missing.message) == (404, "No hypervisor matching 'zzz' could be found.")
    assert cloud("GET", f"{search}t1&limit=1", version="2.53", admin=True).status == 400


def test_hypervisors_with_their_servers(cloud: ComputeApi) -> None:
    instances.insert(make_instance("vm", host="host1", node="host1"))
    path = "/os-hypervisors?with_servers=1"
    first, second = cloud("GET", path, version="2.75", admin=True).json["hypervisors"]
    assert first["servers"] == [{"name": "vm", "uuid": uuid_of("instance vm")}]
    assert second["servers"] == []
    assert "servers" not in cloud("GET", path, version="2.74", admin=True).json["hypervisors"][1]


def test_sums_of_capacity(cloud: ComputeApi) -> None:
    sums = cloud("GET", "/os-hypervisors/statistics", admin=True).json["hypervisor_statistics"]
    assert (sums["count"], sums["vcpus"], sums["memory_mb"], sums["vcpus_used"]) == (2, 32, 65536, 0)
    assert cloud("GET", "/os-hypervisors/statistics", version="2.88", admin=True).status == 404


# -- quota sets -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["2.1", "2.36", "2.57"])
@pytest.mark.parametrize("tail", ["", "/detail", "/defaults"])
def test_quota_sets_are_the_samples(api: ComputeApi, number: str, tail: str) -> None:
    try:
        paths = material.operations()[f"GET /os-quota-sets/{{id}}{tail}"]["response_samples"]
        names = material.samples_at(paths, material.parse_version(number))
        sample = material.sample(next(path for name, path in names.items() if "user-quotas" not in name))
    except material.ContractMissing as error:
        pytest.skip(str(error))
    assert api("GET", f"/os-quota-sets/fake_tenant{tail}", version=number, admin=True).json == sample


def test_quota_sets_change_and_go(api: ComputeApi) -> None:
    quotas.reserve(quotas.PROJECT, "project", {"cores": 5}, {})
    refused = api("PUT", "/os-quota-sets/project", {"quota_set": {"cores": 4}}, admin=True)
    assert refused.status == 400
    assert refused.message == ("Quota limit 4 for cores must be greater than or equal to already used and reserved 5.")
    forced = api("PUT", "/os-quota-sets/project", {"quota_set": {"cores": "4", "force": "True"}}, admin=True)
    assert forced.json["quota_set"]["cores"] == 4
    assert "id" not in forced.json["quota_set"]
    unlimited = api("PUT", "/os-quota-sets/project", {"quota_set": {"ram": -1, "floating_ips": 3}}, admin=True)
    assert (unlimited.json["quota_set"]["ram"], unlimited.json["quota_set"]["floating_ips"]) == (-1, -1)
    assert api("DELETE", "/os-quota-sets/project", admin=True).status == 202
    shown = api("GET", "/os-quota-sets/project/detail", version="2.57").json["quota_set"]
    assert shown["cores"] == {"limit": 20, "in_use": 5, "reserved": 0}


def test_quota_sets_of_others(api: ComputeApi) -> None:
    assert api("GET", "/os-quota-sets/project").status == 200
    assert api("GET", "/os-quota-sets/other").status == 403
    assert api("GET", "/os-quota-sets/other/defaults").status == 200
    body = {"quota_set": {"cores": 1}}
    assert api("PUT", "/os-quota-sets/project", body).status == 403
    assert api("DELETE", "/os-quota-sets/project").status == 403
    for bad in ({"cores": -2}, {"cores": "x"}, {"zzz": 1}, {"cores": 2**31}):
        assert api("PUT", "/os-quota-sets/project", {"quota_set": bad}, admin=True).status == 400
    assert api("PUT", "/os-quota-sets/p", {"quota_set": {"fixed_ips": 1}}, "2.36", admin=True).status == 400


# -- changing services ------------------------------------------------------------------------------


def test_a_service_is_changed_by_words_to_2_52(cloud: ComputeApi) -> None:
    host = {"host": "host1", "binary": "nova-compute"}
    answer = cloud("PUT", "/os-services/disable-log-reason", {**host, "disabled_reason": "r"}, admin=True)
    assert answer.json == {"service": {**host, "disabled_reason": "r", "status": "disabled"}}
    (shown,) = cloud("GET", "/os-services?host=host1", admin=True).json["services"]
    assert (shown["status"], shown["disabled_reason"]) == ("disabled", "r")
    assert cloud("PUT", "/os-services/enable", host, admin=True).json["service"]["status"] == "enabled"
    assert cloud("PUT", "/os-services/disable", host, admin=True).json["service"]["status"] == "disabled"
    down = {**host, "forced_down": True}
    assert cloud("PUT", "/os-services/force-down", host, "2.11", admin=True).status == 400
    assert cloud("PUT", "/os-services/force-down", down, "2.11", admin=True).json == {"service": down}
    assert cloud("PUT", "/os-services/force-down", host, "2.10", admin=True).status == 404
    assert cloud("PUT", "/os-services/zzz", host, admin=True).status == 404
    assert cloud("PUT", "/os-services/disable-log-reason", host, admin=True).status == 400
    assert cloud("PUT", "/os-services/disable", {**host, "host": "zzz"}, admin=True).status == 404
    assert cloud("PUT", "/os-services/disable", host).status == 403


def test_a_service_is_changed_by_uuid_from_2_53(cloud: ComputeApi) -> None:
    uuid = services.get_by_host("host1", liveness.COMPUTE).uuid
    path = f"/os-services/{uuid}"
    body = {"status": "disabled", "disabled_reason": "r", "forced_down": True}
    shown = cloud("PUT", path, body, "2.53", admin=True).json["service"]
    assert (shown["status"], shown["disabled_reason"], shown["state"]) == ("disabled", "r", "down")
    for bad in ({}, {"disabled_reason": "r"}, {"status": "enabled", "disabled_reason": "r"}, {"status": "x"}):
        assert cloud("PUT", path, bad, "2.53", admin=True).status == 400
    assert cloud("PUT", "/os-services/disable", {"status": "disabled"}, "2.53", admin=True).status == 400
    assert cloud("PUT", f"/os-services/{uuid_of('x')}", {"status": "disabled"}, "2.53", admin=True).status == 404
    conductor = services.get_by_host("control", "nova-lite-conductor").uuid
    assert cloud("PUT", f"/os-services/{conductor}", {"status": "disabled"}, "2.53", admin=True).status == 400


# -- addresses --------------------------------------------------------------------------------------


def test_addresses_are_short(api: ComputeApi, compute: FakeCompute) -> None:
    server = compute.add()
    listed = api("GET", f"/servers/{server.uuid}/ips").json["addresses"]
    assert all(set(each) == {"addr", "version"} for of_network in listed.values() for each in of_network)
    (name,) = listed
    assert api("GET", f"/servers/{server.uuid}/ips/{name}").json == listed
    answer = api("GET", f"/servers/{server.uuid}/ips/zzz")
    assert (answer.status, answer.message) == (404, "Instance is not a member of specified network")


# -- instance actions -------------------------------------------------------------------------------


@pytest.fixture
def history(api: ComputeApi, compute: FakeCompute) -> tuple[ComputeApi, str]:
    """A server with a create that is done and a stop that failed."""
    server = compute.add("vm", host="host1")
    instances.insert(server)
    for request_id, action in (("req-1", "create"), ("req-2", "stop")):
        made = operations.insert_pending(
            request_id=request_id,
            instance_uuid=server.uuid,
            action=action,
            project_id="project",
            user_id="user",
            topic="compute",
            host="host1",
            args={},
            timeout_s=3600,
        )
        taken = operations.take(made, "owner", 60, "compute", "host1")
        assert taken is not None
        operations.start_event(made, f"compute_{action}_instance", "host1")
        operations.finish_event(made, f"compute_{action}_instance", "Success")
        operations.finish(made, taken.attempt, OperationState.DONE)
    return api, f"/servers/{server.uuid}/os-instance-actions"


def test_actions_newest_first(history: tuple[ComputeApi, str]) -> None:
    api, path = history
    listed = api("GET", path).json["instanceActions"]
    assert [each["action"] for each in listed] == ["stop", "create"]
    assert "updated_at" not in listed[0]


def test_actions_page_from_2_58(history: tuple[ComputeApi, str]) -> None:
    api, path = history
    page = api("GET", f"{path}?limit=1", version="2.58").json
    assert [each["request_id"] for each in page["instanceActions"]] == ["req-2"]
    assert page["links"] == [{"rel": "next", "href": f"http://cloud:8774/v2.1{path}?limit=1&marker=req-2"}]
    rest = api("GET", f"{path}?marker=req-2", version="2.58").json["instanceActions"]
    assert [each["request_id"] for each in rest] == ["req-1"]
    assert api("GET", f"{path}?marker=zzz", version="2.58").status == 400
    later = "2999-01-01T00:00:00Z"
    assert api("GET", f"{path}?changes-since={later}", version="2.58").json["instanceActions"] == []
    assert len(api("GET", f"{path}?changes-before={later}", version="2.66").json["instanceActions"]) == 2
    assert api("GET", f"{path}?changes-before={later}", version="2.65").status == 400


def test_one_action_and_who_sees_its_events(history: tuple[ComputeApi, str]) -> None:
    api, path = history
    assert "events" not in api("GET", f"{path}/req-1").json["instanceAction"]
    assert "events" in api("GET", f"{path}/req-1", admin=True).json["instanceAction"]
    (event,) = api("GET", f"{path}/req-1", version="2.84").json["instanceAction"]["events"]
    assert (event["event"], event["result"]) == ("compute_create_instance", "Success")
    assert "host" not in event
    (seen,) = api("GET", f"{path}/req-1", version="2.84", admin=True).json["instanceAction"]["events"]
    assert (seen["host"], seen["traceback"], seen["details"]) == ("host1", None, None)
    answer = api("GET", f"{path}/req-9")
    assert (answer.status, answer.message) == (404, "Action req-9 not found")


def test_actions_of_deleted_servers_from_2_21(api: ComputeApi) -> None:
    gone = make_instance("gone", deleted_at=utcnow(), vm_state="deleted")
    instances.insert(gone)
    path = f"/servers/{gone.uuid}/os-instance-actions"
    assert api("GET", path, version="2.20").status == 404
    assert api("GET", path, version="2.21").json == {"instanceActions": []}
    assert api("GET", path, version="2.21", project="other").status == 404
