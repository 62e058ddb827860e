"""What stands beside servers, call by call: groups, aggregates, services, hypervisors, quotas of users and classes."""

from __future__ import annotations

import datetime

import pytest

from nova_lite.db.api import compute_nodes, instances, quotas, services, user_quotas
from tests.harness.builders import uuid_of
from tests.harness.compute_api import ComputeApi
from tests.harness.database import make_instance

GROUPS, AGGREGATES = "/os-server-groups", "/os-aggregates"


@pytest.fixture
def cloud(api: ComputeApi) -> ComputeApi:
    """Two hosts, one with a server."""
    from tests.harness.builders import make_node

    for host in ("host1", "host2"):
        services.register(host, "nova-lite-compute", "compute", "epoch")
        compute_nodes.upsert(make_node(host))
    instances.insert(make_instance(host="host1", node=compute_nodes.on_host("host1")[0].hypervisor_hostname))
    return api


# -- server groups ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "group", "status"),
    [
        ("2.1", {"policies": ["affinity"]}, 200), ("2.14", {"policies": ["soft-affinity"]}, 400),
        ("2.15", {"policies": ["soft-affinity"]}, 200), ("2.1", {"policies": []}, 400), ("2.1", {}, 400),
        ("2.1", {"policies": ["affinity", "anti-affinity"]}, 400), ("2.63", {"policy": "affinity"}, 400),
        ("2.64", {"policies": ["affinity"]}, 400), ("2.64", {"policy": "soft-anti-affinity"}, 200),
        ("2.64", {"policy": "anti-affinity", "rules": {"max_server_per_host": "2"}}, 200),
        ("2.64", {"policy": "anti-affinity", "rules": {"max_server_per_host": 0}}, 400),
        ("2.64", {"policy": "anti-affinity", "rules": {"fastest": 1}}, 400),
        ("2.64", {"policy": "affinity", "rules": {"max_server_per_host": 2}}, 400),
        ("2.64", {"policy": "affinity", "rules": {}}, 200), ("2.64", {"policy": "near"}, 400),
    ],
)  # fmt: skip
def test_groups_are_made_as_their_version_says(api: ComputeApi, version: str, group: dict, status: int) -> None:
    answer = api("POST", GROUPS, {"server_group": {"name": "g", **group}}, version)
    assert answer.status == status, answer.message
    if group == {"policy": "affinity", "rules": {"max_server_per_host": 2}}:
        assert answer.message == "Only anti-affinity policy supports rules."


def test_a_group_at_each_version(api: ComputeApi) -> None:
    body = {"server_group": {"name": "g", "policy": "anti-affinity", "rules": {"max_server_per_host": 3}}}
    made = api("POST", GROUPS, body, "2.64").json["server_group"]
    assert made["rules"] == {"max_server_per_host": 3} and made["members"] == []
    path = f"{GROUPS}/{made['id']}"
    assert set(api("GET", path, version="2.64").json["server_group"]) == {
        "id", "name", "policy", "rules", "members", "project_id", "user_id",
    }  # fmt: skip
    old = api("GET", path, version="2.12").json["server_group"]
    assert old == {"id": made["id"], "name": "g", "policies": ["anti-affinity"], "metadata": {}, "members": []}
    assert set(api("GET", path, version="2.13").json["server_group"]) - set(old) == {"project_id", "user_id"}
    assert api("DELETE", path).status == 204
    gone = api("GET", path)
    assert (gone.status, gone.message) == (404, f"Instance group {made['id']} could not be found.")
    assert api("GET", f"{GROUPS}/nothing").status == 404


def test_groups_are_paged_by_limit_and_offset(api: ComputeApi) -> None:
    for name in "abcd":
        api("POST", GROUPS, {"server_group": {"name": name, "policies": ["affinity"]}}, "2.1")

    def names(query: str) -> list[str]:
        return [each["name"] for each in api("GET", GROUPS + query).json["server_groups"]]

    assert names("") == names("?limit=0") == ["a", "b", "c", "d"]
    assert (names("?limit=2"), names("?limit=2&offset=3"), names("?offset=9")) == (["a", "b"], ["d"], [])
    assert names(f"?offset={10**22}") == []
    assert api("GET", GROUPS + "?offset=-1").status == 400
    assert api("GET", GROUPS + "?zzz=1", version="2.74").status == 200
    assert api("GET", GROUPS + "?zzz=1", version="2.75").status == 400


# -- aggregates -------------------------------------------------------------------------------------


def test_aggregates_from_birth_to_end(cloud: ComputeApi) -> None:
    body = {"aggregate": {"name": "racks", "availability_zone": "east"}}
    assert cloud("POST", AGGREGATES, body).status == 403
    made = cloud("POST", AGGREGATES, body, "2.41", admin=True).json["aggregate"]
    assert "hosts" not in made and made["availability_zone"] == "east" and made["updated_at"] is None
    path = f"{AGGREGATES}/{made['id']}"
    assert "uuid" not in cloud("GET", path, version="2.40", admin=True).json["aggregate"]
    taken = cloud("POST", AGGREGATES, body, admin=True)
    assert (taken.status, taken.message) == (409, "Aggregate racks already exists.")
    added = cloud("POST", path + "/action", {"add_host": {"host": "host2"}}, admin=True)
    assert added.json["aggregate"]["hosts"] == ["host2"]
    zones = cloud("GET", "/os-availability-zone").json["availabilityZoneInfo"]
    assert [each["zoneName"] for each in zones] == ["east", "nova"]
    full = cloud("DELETE", path, admin=True)
    assert (full.status, full.message) == (
        400, f"Cannot remove host from aggregate {made['id']}. Reason: Host aggregate is not empty.",
    )  # fmt: skip
    renamed = cloud("PUT", path, {"aggregate": {"name": "rows"}}, admin=True).json["aggregate"]
    assert renamed["name"] == "rows" and renamed["updated_at"] is not None
    metadata = {"set_metadata": {"metadata": {"ssd": "true"}}}
    assert cloud("POST", path + "/action", metadata, admin=True).json["aggregate"]["metadata"] == {
        "availability_zone": "east", "ssd": "true",
    }  # fmt: skip
    assert cloud("POST", path + "/action", {"remove_host": {"host": "host2"}}, admin=True).status == 200
    assert cloud("DELETE", path, admin=True).status == 200
    assert cloud("GET", AGGREGATES, admin=True).json == {"aggregates": []}


def test_aggregates_refuse_in_novas_words(cloud: ComputeApi) -> None:
    def told(method: str, path: str, body: dict | None = None) -> tuple[int, str]:
        answer = cloud(method, AGGREGATES + path, body, admin=True)
        return answer.status, answer.message

    number = cloud("POST", AGGREGATES, {"aggregate": {"name": "a"}}, admin=True).json["aggregate"]["id"]
    assert told("GET", "/999") == (404, "Aggregate 999 could not be found.")
    assert told("GET", "/x") == (400, "Invalid input received: id must be an integer")
    action = f"/{number}/action"
    assert told("POST", action, {"add_host": {"host": "lost"}}) == (404, "Compute host lost could not be found.")
    assert told("POST", action, {"remove_host": {"host": "host1"}}) == (404, f"Aggregate {number} has no host host1.")
    cloud("POST", AGGREGATES + action, {"add_host": {"host": "host1"}}, admin=True)
    twice = told("POST", action, {"add_host": {"host": "host1"}})
    assert twice == (409, f"Aggregate {number} already has host host1.")
    for bad in ({"availability_zone": "a:b"}, {}, {"name": ""}, {"zzz": 1}):
        assert told("PUT", f"/{number}", {"aggregate": bad})[0] == 400
    zone = {"aggregate": {"availability_zone": "east"}}
    reason = "One or more hosts contain instances in this zone."
    assert told("PUT", f"/{number}", zone) == (400, f"Cannot update aggregate {number}. Reason: {reason}")


# -- services and hypervisors -----------------------------------------------------------------------


def test_a_host_with_servers_is_not_forgotten(cloud: ComputeApi) -> None:
    found = {each.host: each for each in services.list()}
    busy = cloud("DELETE", f"/os-services/{found['host1'].uuid}", version="2.53", admin=True)
    assert (busy.status, busy.message) == (
        409, "Unable to delete compute service that is hosting instances. Migrate or delete the instances first.",
    )  # fmt: skip
    aggregate = cloud("POST", AGGREGATES, {"aggregate": {"name": "a"}}, admin=True).json["aggregate"]["id"]
    cloud("POST", f"{AGGREGATES}/{aggregate}/action", {"add_host": {"host": "host2"}}, admin=True)
    assert cloud("DELETE", f"/os-services/{found['host2'].id}", version="2.52", admin=True).status == 204
    assert compute_nodes.on_host("host2") == [] and [each.host for each in services.list()] == ["host1"]
    assert cloud("GET", f"{AGGREGATES}/{aggregate}", admin=True).json["aggregate"]["hosts"] == []


def test_services_are_known_by_what_their_version_says(cloud: ComputeApi) -> None:
    uuid = services.list()[0].uuid
    for version, wrong, status in (("2.52", uuid, 400), ("2.53", "1", 400), ("2.52", "999", 404)):
        assert cloud("DELETE", f"/os-services/{wrong}", version=version, admin=True).status == status
    lost = cloud("DELETE", "/os-services/00000000-0000-4000-8000-000000000000", version="2.53", admin=True)
    assert (lost.status, lost.message) == (404, "Service 00000000-0000-4000-8000-000000000000 not found.")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "No updates were requested. Fields 'status' or 'forced_down' should be specified."),
        ({"disabled_reason": "x"}, "No updates were requested. Fields 'status' or 'forced_down' should be specified."),
        ({"status": "enabled", "disabled_reason": "x"},
         "Specifying 'disabled_reason' with status 'enabled' is invalid."),
    ],
)  # fmt: skip
def test_updates_of_services_that_say_nothing(cloud: ComputeApi, body: dict, message: str) -> None:
    answer = cloud("PUT", f"/os-services/{services.list()[0].uuid}", body, "2.53", admin=True)
    assert (answer.status, answer.message) == (400, message)


def test_words_for_services_to_2_52(cloud: ComputeApi) -> None:
    def told(word: str, body: dict, version: str = "2.11") -> tuple[int, str]:
        answer = cloud("PUT", f"/os-services/{word}", body, version, admin=True)
        return answer.status, answer.message if answer.status >= 400 else ""

    here = {"host": "host1", "binary": "nova-compute"}
    assert told("disable-log-reason", here) == (400, "Missing disabled reason field")
    assert told("force-down", here) == (400, "Missing forced_down field")
    assert told("force-down", here, "2.10")[0] == 404
    lost = {"host": "lost", "binary": "nova-compute"}
    assert told("disable", lost) == (404, "Could not find binary nova-compute on host lost.")
    assert told("disable", {"host": "host1", "binary": "nova-conductor"}) == (
        400, "Updating a nova-conductor service is not supported. Only nova-compute services can be updated.",
    )  # fmt: skip
    assert told("disable", here)[0] == 200
    (zone,) = cloud("GET", "/os-availability-zone/detail", admin=True).json["availabilityZoneInfo"]
    assert list(zone["hosts"]) == ["host2"], "a disabled host is not shown in its zone"
    assert told("disable", {"host": "host2", "binary": "nova-compute"})[0] == 200
    (zone,) = cloud("GET", "/os-availability-zone/detail", admin=True).json["availabilityZoneInfo"]
    assert zone == {"zoneName": "nova", "zoneState": {"available": False}, "hosts": None}


def test_hypervisors_are_searched_to_2_52(cloud: ComputeApi) -> None:
    name = compute_nodes.on_host("host1")[0].hypervisor_hostname
    (found,) = cloud("GET", f"/os-hypervisors/{name}/search", version="2.52", admin=True).json["hypervisors"]
    assert found["hypervisor_hostname"] == name and "servers" not in found
    both = cloud("GET", "/os-hypervisors/host/servers", version="2.52", admin=True).json["hypervisors"]
    assert [len(each.get("servers", ())) for each in both] == [1, 0] and "servers" not in both[1]
    for path in ("search", "servers"):
        none = cloud("GET", f"/os-hypervisors/zzz/{path}", version="2.1", admin=True)
        assert (none.status, none.message) == (404, "No hypervisor matching 'zzz' could be found.")
        assert cloud("GET", f"/os-hypervisors/host/{path}", version="2.53", admin=True).status == 404
        assert cloud("GET", f"/os-hypervisors/host/{path}", version="2.1").status == 403
    lost = cloud("GET", "/os-hypervisors/999", version="2.1", admin=True)
    assert (lost.status, lost.message) == (404, "Hypervisor with ID '999' could not be found.")


# -- quotas of classes and users --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_names_that_no_database_holds(api: ComputeApi, name: str) -> None:
    for path in (f"/os-quota-sets/{name}", f"/os-quota-class-sets/{name}", f"{USAGE}/{name}"):
        assert api("GET", path, admin=True).status == 400


def test_the_default_class_is_everybodys_limit(api: ComputeApi) -> None:
    changed = api("PUT", "/os-quota-class-sets/default", {"quota_class_set": {"cores": 7}}, "2.57", admin=True)
    assert changed.json["quota_class_set"]["cores"] == 7 and "id" not in changed.json["quota_class_set"]
    assert api("GET", "/os-quota-sets/any/defaults", version="2.57").json["quota_set"]["cores"] == 7
    other = {"quota_class_set": {"cores": 9, "fixed_ips": 3, "injected_files": 2}}
    old = api("PUT", "/os-quota-class-sets/gold", other, "2.1", admin=True).json["quota_class_set"]
    assert (old["cores"], old["fixed_ips"], old["injected_files"], old["instances"]) == (9, 3, 2, 10)
    assert "server_groups" not in old
    shown = api("GET", "/os-quota-class-sets/gold", version="2.50", admin=True).json["quota_class_set"]
    assert (shown["id"], shown["server_groups"]) == ("gold", 10) and "fixed_ips" not in shown
    assert api("GET", "/os-quota-class-sets/gold").status == 403
    assert api("PUT", "/os-quota-class-sets/gold", other, "2.50", admin=True).status == 400


def test_users_have_their_share_of_the_projects_quota(api: ComputeApi) -> None:
    def put(query: str, **limits: object) -> tuple[int, str]:
        answer = api("PUT", f"/os-quota-sets/project{query}", {"quota_set": limits}, admin=True)
        return answer.status, answer.message if answer.status >= 400 else ""

    assert put("?user_id=ann", cores=15)[0] == 200
    assert put("?user_id=bob", cores=6) == (400, "Quota limit 6 for cores must be less than or equal to 5.")
    assert put("?user_id=ann", cores=20)[0] == 200, "his own share is his to change"
    assert put("?user_id=bob", cores=6, force="true")[0] == 200
    assert put("", cores=25) == (
        400, "Quota limit 25 for cores must be greater than or equal to already used and reserved 26.",
    )  # fmt: skip
    assert put("", cores=-1)[0] == 200
    shown = api("GET", "/os-quota-sets/project?user_id=bob", admin=True).json["quota_set"]
    assert (shown["cores"], shown["instances"], shown["id"]) == (6, 10, "project")
    detail = api("GET", "/os-quota-sets/project/detail?user_id=bob", admin=True).json["quota_set"]
    assert detail["cores"] == {"limit": 6, "in_use": 0, "reserved": 0}
    assert api("DELETE", "/os-quota-sets/project?user_id=bob", admin=True).status == 202
    assert user_quotas.limits("project", "bob") == {} and user_quotas.limits("project", "ann") == {"cores": 20}
    assert api("DELETE", "/os-quota-sets/project", admin=True).status == 202
    assert user_quotas.limits("project", "ann") == quotas.overrides("project") == {}


# -- usage ------------------------------------------------------------------------------------------

NOON = datetime.datetime(2026, 11, 20, 12)
WINDOW = "start=2026-11-20T12:00:00&end=2026-11-20T14:00:00"
USAGE = "/os-simple-tenant-usage"


@pytest.fixture
def ran(api: ComputeApi) -> ComputeApi:
    """Two servers of the caller's project, one of which ended, and one of another."""
    for name, project in (("one", "project"), ("two", "project"), ("three", "other")):
        instances.insert(make_instance(name, project_id=project, launched_at=NOON - datetime.timedelta(hours=1)))
    instances.tombstone(uuid_of("instance two"))
    instances.update_if(uuid_of("instance two"), {"terminated_at": NOON + datetime.timedelta(hours=1)}, True)
    return api


def test_usage_of_a_project(ran: ComputeApi) -> None:
    shown = ran("GET", f"{USAGE}/project?{WINDOW}").json["tenant_usage"]
    sums = [shown[f"total_{name}"] for name in ("hours", "vcpus_usage", "memory_mb_usage", "local_gb_usage")]
    assert sums == [3.0, 3.0, 3.0 * 512, 3.0]
    assert (shown["start"], shown["stop"]) == ("2026-11-20T12:00:00.000000", "2026-11-20T14:00:00.000000")
    by_name = {each["name"]: each for each in shown["server_usages"]}
    assert by_name["two"]["state"] == "terminated" and by_name["two"]["uptime"] == 7200
    assert by_name["one"]["ended_at"] is None and by_name["one"]["state"] == "active"
    assert ran("GET", f"{USAGE}/other?{WINDOW}").status == 403
    assert ran("GET", f"{USAGE}/none?{WINDOW}", admin=True).json == {"tenant_usage": {}}


def test_usage_of_everybody(ran: ComputeApi) -> None:
    assert ran("GET", f"{USAGE}?{WINDOW}").status == 403
    short = ran("GET", f"{USAGE}?{WINDOW}", admin=True).json
    assert [each["tenant_id"] for each in short["tenant_usages"]] == ["other", "project"]
    assert all("server_usages" not in each for each in short["tenant_usages"]) and "tenant_usages_links" not in short
    full = ran("GET", f"{USAGE}?{WINDOW}&detailed=1", admin=True).json["tenant_usages"]
    assert [len(each["server_usages"]) for each in full] == [1, 2]
    first = ran("GET", f"{USAGE}?{WINDOW}&limit=1", version="2.40", admin=True).json
    (link,) = first["tenant_usages_links"]
    assert link["href"].endswith(f"limit=1&start=2026-11-20T12%3A00%3A00&marker={uuid_of('instance three')}")
    lost = ran("GET", f"{USAGE}?{WINDOW}&marker=zzz", version="2.40", admin=True)
    assert (lost.status, lost.message) == (400, "marker [zzz] not found")


def test_times_of_usage(ran: ComputeApi) -> None:
    def told(query: str, version: str = "2.1") -> int:
        return ran("GET", f"{USAGE}/project?{query}", version=version).status

    assert told("start=2026-11-20%2012:00:00.5&end=2026-11-20T12:00:01.5") == told("") == 200
    assert told("start=2026-11-20") == told("end=yesterday") == 400
    assert told("start=2026-11-20T12:00:00&end=2026-11-20T12:00:00") == 400
    assert (told("zzz=1", "2.74"), told("zzz=1", "2.75"), told("limit=-1", "2.40")) == (200, 400, 400)


def test_the_usage_audit_says_that_no_host_runs_it(cloud: ComputeApi) -> None:
    path = "/os-instance_usage_audit_log"
    assert cloud("GET", path).status == 403
    report = cloud("GET", path, admin=True).json["instance_usage_audit_logs"]
    assert (report["num_hosts"], report["num_hosts_not_run"]) == (2, 2)
    assert report["hosts_not_run"] == ["host1", "host2"] and report["overall_status"] == "0 of 2 hosts done. 0 errors."
    old = cloud("GET", f"{path}/2026-01-05 12:00:00.25", admin=True).json["instance_usage_audit_log"]
    assert (old["period_beginning"], old["period_ending"]) == ("2025-12-01 00:00:00", "2026-01-01 00:00:00")
    assert cloud("GET", f"{path}/0001-01-01 00:00:00", admin=True).status == 200
    wrong = cloud("GET", f"{path}/invalid_time", admin=True)
    assert (wrong.status, wrong.message) == (400, "Invalid timestamp for date invalid_time")


# -- external events --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "since"),
    [
        ("network-changed", "2.1"), ("network-vif-plugged", "2.1"), ("network-vif-unplugged", "2.1"),
        ("network-vif-deleted", "2.1"), ("volume-extended", "2.51"), ("power-update", "2.76"),
        ("accelerator-request-bound", "2.82"), ("volume-reimaged", "2.93"),
    ],
)  # fmt: skip
def test_event_names_have_their_time(api: ComputeApi, name: str, since: str) -> None:
    event = {"name": name, "server_uuid": uuid_of("nobody"), "tag": "t", "status": "failed"}

    def sent(version: str) -> int:
        return api("POST", "/os-server-external-events", {"events": [event]}, version, admin=True).status

    before = f"2.{int(since.split('.')[1]) - 1}"
    assert sent(since) == 207
    assert since == "2.1" or sent(before) == 400
    assert api("POST", "/os-server-external-events", {"events": [event]}, "2.93").status == 403


def test_each_event_has_its_code(api: ComputeApi) -> None:
    instances.insert(make_instance("homeless"))
    events = [
        {"name": "network-changed", "server_uuid": uuid_of("nobody")},
        {"name": "network-changed", "server_uuid": uuid_of("instance homeless")},
        {"name": "power-update", "server_uuid": uuid_of("instance homeless")},
    ]
    answer = api("POST", "/os-server-external-events", {"events": events}, "2.76", admin=True)
    assert answer.status == 207
    assert [each["code"] for each in answer.json["events"]] == [404, 422, 400]
    assert {each["status"] for each in answer.json["events"]} == {"failed"}
    for bad in ([], [{}], [{**events[0], "zzz": 1}], [{**events[0], "status": "odd"}], [{**events[0], "name": "x"}]):
        assert api("POST", "/os-server-external-events", {"events": bad}, "2.76", admin=True).status == 400
