"""The views of a server at every microversion, judged by the contract's fields and by hand."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import pytest

from nova_lite.api.openstack.compute.views.servers import ServerViews, Sight, host_id
from nova_lite.api.openstack.links import Links
from nova_lite.api.openstack.microversions import VERSIONS, at
from nova_lite.objects import BlockDevice, Fault, ImageMeta, Instance
from tests.harness.builders import NOW, uuid_of
from tests.harness.contract import fields, material
from tests.harness.database import make_instance

NUMBERS = [version.number for version in VERSIONS]
ADMIN = Sight(admin=True, attributes=True, host_status=True)
MEMBER = Sight()
ENVIRON = {"wsgi.url_scheme": "http", "HTTP_HOST": "cloud:8774", "nova_lite.version_path": "/v2.1"}
ATTR = "OS-EXT-SRV-ATTR:"


def server(**values: Any) -> Instance:
    defaults: dict[str, Any] = {
        "created_at": NOW,
        "updated_at": NOW + datetime.timedelta(seconds=1, microseconds=7),
        "launched_at": NOW + datetime.timedelta(microseconds=563380),
        "security_groups": ("default",),
        "block_devices": (BlockDevice("volume", "volume", volume_id=uuid_of("volume"), delete_on_termination=True),),
        "host": "host1",
        "node": "node1",
        "hostname": "vm",
    }
    return make_instance("vm", **{**defaults, **values})


def views(number: str, sight: Sight = MEMBER, host_status: str = "UP", project: str | None = None) -> ServerViews:
    return ServerViews(Links(ENVIRON, project), at(number), sight, lambda host: host_status if host else "")


@pytest.fixture(scope="module")
def contract() -> None:
    try:
        material.location()
    except material.ContractMissing as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("sight", [ADMIN, MEMBER], ids=["admin", "member"])
@pytest.mark.parametrize("state", ["active", "error"])
def test_the_fields_are_the_contracts_at_every_version(contract: None, number: str, sight: Sight, state: str) -> None:
    made, version = views(number, sight), material.parse_version(number)
    instance = server(vm_state=state, fault=Fault(500, "No valid host", "trace", created_at=NOW))
    assert fields.check("GET /servers/{id}", version, made.show(instance)) == []
    assert fields.check("PUT /servers/{id}", version, made.updated(instance)) == []
    assert fields.check("GET /servers/detail", version, {"servers": [made.item(instance)]}) == []
    assert fields.check("GET /servers", version, {"servers": [made.basic(instance)]}) == []
    assert fields.check("POST /servers", version, made.created(instance, "secret")) == []


def test_a_member_never_sees_where_a_server_runs() -> None:
    for number in NUMBERS:
        view = views(number).show(server())["server"]
        hidden = {key for key in view if key.startswith(ATTR)} - {ATTR + "hostname"}
        assert hidden == set()
        assert "host_status" not in view
        assert (ATTR + "hostname" in view) == (at(number) >= at("2.90"))


def test_an_administrator_sees_it_all() -> None:
    view = views("2.96", ADMIN).show(server())["server"]
    assert view[ATTR + "host"] == "host1"
    assert view[ATTR + "hypervisor_hostname"] == "node1"
    assert view["host_status"] == "UP"


@pytest.mark.parametrize(("word", "shown"), [("UNKNOWN", True), ("UP", False)])
def test_the_unknown_only_policy_shows_unreachable_hosts(word: str, shown: bool) -> None:
    view = views("2.96", Sight(unknown_host_status=True), word).show(server())["server"]
    assert ("host_status" in view) == shown


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"vm_state": "building", "task_state": "spawning"}, "BUILD"),
        ({"vm_state": "active", "task_state": "deleting"}, "ACTIVE"),
        ({"vm_state": "stopped"}, "SHUTOFF"),
        ({"vm_state": "active", "task_state": "rebooting_hard"}, "HARD_REBOOT"),
    ],
)
def test_the_status_word(values: dict[str, Any], expected: str) -> None:
    view = views("2.1").show(server(**values))["server"]
    assert view["status"] == expected
    assert ("progress" in view) == (expected in ("BUILD", "ACTIVE"))


def test_fault_details_are_for_administrators_or_the_users_own_mistakes() -> None:
    ours = server(vm_state="error", fault=Fault(500, "m", "trace", created_at=NOW))
    theirs = server(vm_state="error", fault=Fault(400, "m", "why", created_at=NOW))
    assert "details" not in views("2.1").show(ours)["server"]["fault"]
    assert views("2.1").show(theirs)["server"]["fault"]["details"] == "why"
    assert views("2.1", ADMIN).show(ours)["server"]["fault"] == {
        "code": 500,
        "created": "2026-11-20T12:00:00Z",
        "message": "m",
        "details": "trace",
    }
    assert "fault" not in views("2.1", ADMIN).show(dataclasses.replace(ours, vm_state="active"))["server"]


def test_times_flavors_and_links_before_and_after_their_change() -> None:
    old = views("2.46", project="p1").show(server())["server"]
    new = views("2.47", project="p1").show(server())["server"]
    assert old["created"] == "2026-11-20T12:00:00Z"
    assert old["updated"] == "2026-11-20T12:00:01Z"
    assert old["OS-SRV-USG:launched_at"] == "2026-11-20T12:00:00.563380"
    assert old["OS-SRV-USG:terminated_at"] is None
    flavor = server().flavor
    assert old["flavor"] == {
        "id": flavor.flavorid,
        "links": [{"rel": "bookmark", "href": f"http://cloud:8774/p1/flavors/{flavor.flavorid}"}],
    }
    assert new["flavor"]["original_name"] == flavor.name
    assert new["flavor"]["extra_specs"] == {"a": "b"}
    assert old["links"][0]["href"] == f"http://cloud:8774/v2.1/p1/servers/{server().uuid}"
    assert old["links"][1] == {"rel": "bookmark", "href": f"http://cloud:8774/p1/servers/{server().uuid}"}


def test_an_image_shows_its_properties_from_2_98_and_hides_how_it_boots() -> None:
    properties = {"architecture": "x86_64", "auto_disk_config": "True", "kernel_id": "k", "ramdisk_id": "r"}
    instance = server(image_ref="i", image=ImageMeta(id="i", properties=properties))
    assert views("2.98").show(instance)["server"]["image"]["properties"] == {
        "architecture": "x86_64", "auto_disk_config": "True",
    }  # fmt: skip
    assert "properties" not in views("2.97").show(instance)["server"]["image"]
    assert views("2.98").show(server(image_ref="i", image=None))["server"]["image"]["properties"] == {}


def test_hints_are_shown_from_2_100_and_those_of_servers_are_lists() -> None:
    hints = {"same_host": uuid_of("vm"), "different_host": [uuid_of("b")], "group": uuid_of("g"), "query": "[]"}
    instance = server(scheduler_hints=hints)
    assert views("2.100").item(instance)["scheduler_hints"] == {**hints, "same_host": [uuid_of("vm")]}
    assert "scheduler_hints" not in views("2.99").item(instance)
    assert views("2.100").show(server())["server"]["scheduler_hints"] == {}


def test_groups_are_shown_from_2_71_and_not_in_lists() -> None:
    grouped = server(server_group=uuid_of("group"))
    assert views("2.71").show(grouped)["server"]["server_groups"] == [uuid_of("group")]
    assert views("2.71").updated(grouped)["server"]["server_groups"] == [uuid_of("group")]
    assert "server_groups" not in views("2.70").show(grouped)["server"]
    assert "server_groups" not in views("2.71").item(grouped)
    assert views("2.71").show(server())["server"]["server_groups"] == []


def test_unset_things_have_their_own_emptiness() -> None:
    bare = server(
        image_ref="", host=None, node=None, key_name=None, config_drive=False, security_groups=(), network_info=(),
        access_ip_v4=None, trusted_certs=None, availability_zone=None, block_devices=(),
    )  # fmt: skip
    view = views("2.96", ADMIN).show(bare)["server"]
    assert (view["image"], view["hostId"], view["host_status"]) == ("", "", "")
    assert (view["key_name"], view["config_drive"], view["accessIPv4"]) == (None, "", "")
    assert (view["addresses"], view["OS-EXT-AZ:availability_zone"]) == ({}, "")
    assert view["trusted_image_certificates"] is None
    assert "security_groups" not in view
    assert views("2.1").created(bare, None)["server"]["security_groups"] == [{"name": "default"}]


def test_an_update_is_short_to_2_74() -> None:
    short = views("2.74").updated(server())["server"]
    addresses = [address for of_network in short["addresses"].values() for address in of_network]
    assert addresses
    assert all(set(address) == {"addr", "version"} for address in addresses)
    assert not any(key.startswith("OS-EXT-") for key in short)
    full = views("2.75").updated(server())["server"]
    assert full == views("2.75").show(server())["server"]


def test_volumes_say_delete_on_termination_from_2_3() -> None:
    key = "os-extended-volumes:volumes_attached"
    assert views("2.2").show(server())["server"][key] == [{"id": uuid_of("volume")}]
    assert views("2.3").show(server())["server"][key][0]["delete_on_termination"] is True


def test_a_host_id_differs_between_projects() -> None:
    assert len(host_id("p1", "host1")) == 56
    assert host_id("p1", "host1") != host_id("p2", "host1")
