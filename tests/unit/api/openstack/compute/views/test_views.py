"""The smaller views, at every microversion, judged by the contract's fields and by hand."""

from __future__ import annotations

import pytest

from nova_lite.api.openstack.compute.views import instance_actions, keypairs
from nova_lite.api.openstack.compute.views.flavors import FlavorViews
from nova_lite.api.openstack.compute.views.hypervisors import HypervisorViews
from nova_lite.api.openstack.compute.views.services import ServiceViews, own_binary, shown_binary
from nova_lite.api.openstack.links import Links
from nova_lite.api.openstack.microversions import VERSIONS, at
from nova_lite.objects import KeyPair, Operation, OperationEvent, OperationState
from tests.harness.builders import NOW, make_flavor, make_node, make_service, uuid_of
from tests.harness.contract import fields, material

NUMBERS = [version.number for version in VERSIONS]
LINKS = Links({"wsgi.url_scheme": "http", "HTTP_HOST": "cloud", "nova_lite.version_path": "/v2.1"}, None)
KEYPAIR = KeyPair("k", "user", "aa:bb", "ssh-rsa AAAA", id=1, created_at=NOW)
EVENT = OperationEvent("compute_stop_instance", NOW, NOW, "Success", None, "host1", "why")
OPERATION = Operation(
    1, "req-1", uuid_of("vm"), "stop", "project", "user", OperationState.DONE, "compute", start_time=NOW,
    updated_at=NOW, events=(EVENT,),
)  # fmt: skip


@pytest.fixture(autouse=True)
def contract() -> None:
    try:
        material.location()
    except material.ContractMissing as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("number", NUMBERS)
def test_flavors(number: str) -> None:
    version = material.parse_version(number)
    views = FlavorViews(LINKS, at(number), extra_specs=True)
    flavor = make_flavor(extra_specs={"hw:cpu_policy": "shared"}, swap_mb=0)
    assert fields.check("GET /flavors", version, {"flavors": [views.basic(flavor)]}) == []
    assert fields.check("GET /flavors/detail", version, {"flavors": [views.item(flavor)]}) == []
    assert fields.check("GET /flavors/{id}", version, views.show(flavor)) == []
    assert views.show(flavor)["flavor"]["swap"] == (0 if at(number) >= at("2.75") else "")


def test_extra_specs_need_the_policy_and_a_swap_is_a_number() -> None:
    view = FlavorViews(LINKS, at("2.96"), extra_specs=False).item(make_flavor(swap_mb=64))
    assert "extra_specs" not in view
    assert FlavorViews(LINKS, at("2.1"), extra_specs=True).item(make_flavor(swap_mb=64))["swap"] == 64


@pytest.mark.parametrize("number", NUMBERS)
def test_keypairs(number: str) -> None:
    version, asked = material.parse_version(number), at(number)
    assert fields.check("GET /os-keypairs", version, {"keypairs": [keypairs.item(KEYPAIR, asked)]}) == []
    assert fields.check("GET /os-keypairs/{id}", version, keypairs.show(KEYPAIR, asked)) == []
    private = "-----BEGIN" if asked < at("2.92") else None
    assert fields.check("POST /os-keypairs", version, keypairs.created(KEYPAIR, asked, private)) == []


@pytest.mark.parametrize("number", NUMBERS)
def test_hypervisors(number: str) -> None:
    version, views = material.parse_version(number), HypervisorViews(at(number))
    node, service = make_node(id=3, cpu_info={"arch": "x86_64"}), make_service(id=5)
    detail = views.item(node, service, True, detail=True)
    assert fields.check("GET /os-hypervisors/{id}", version, {"hypervisor": detail}) == []
    assert fields.check("GET /os-hypervisors/detail", version, {"hypervisors": [detail]}) == []
    short = views.item(node, service, False, detail=False)
    assert fields.check("GET /os-hypervisors", version, {"hypervisors": [short]}) == []
    assert short["id"] == (node.uuid if at(number) >= at("2.53") else 3)
    assert detail["service"]["id"] == (service.uuid if at(number) >= at("2.53") else 5)
    assert (short["state"], detail["state"]) == ("down", "up")


def test_what_is_reserved_for_the_host_counts_as_taken() -> None:
    node = make_node(memory_mb=1000, memory_mb_used=100, reserved_host_memory_mb=200)
    view = HypervisorViews(at("2.28")).item(node, make_service(), True, detail=True)
    assert (view["memory_mb_used"], view["free_ram_mb"]) == (300, 700)
    assert HypervisorViews(at("2.27")).item(node, None, True, detail=True)["cpu_info"] == "{}"


@pytest.mark.parametrize("number", NUMBERS)
def test_services(number: str) -> None:
    version = material.parse_version(number)
    service = make_service(id=7, disabled=True, disabled_reason="broken")
    view = ServiceViews(at(number), lambda each: "nova", lambda each: True).item(service)
    assert fields.check("GET /os-services", version, {"services": [view]}) == []
    assert view["id"] == (service.uuid if at(number) >= at("2.53") else 7)
    assert (view["binary"], view["status"], view["state"]) == ("nova-compute", "disabled", "up")
    assert view["updated_at"] == "2026-11-20T12:00:00.000000"


def test_binaries_have_novas_names_at_the_door() -> None:
    for own in ("nova-lite-compute", "nova-lite-conductor", "other"):
        assert own_binary(shown_binary(own)) == own
    assert own_binary("nova-lite-compute") == "nova-lite-compute"


@pytest.mark.parametrize("number", NUMBERS)
def test_instance_actions(number: str) -> None:
    version, asked = material.parse_version(number), at(number)
    view = instance_actions.item(OPERATION, asked)
    listed = {"instanceActions": [view]}
    assert fields.check("GET /servers/{server_id}/os-instance-actions", version, listed) == []
    for admin in (True, False):
        events = [instance_actions.event(EVENT, "project", asked, traces=admin, details=admin)]
        shown = {"instanceAction": {**view, "events": events}}
        assert fields.check("GET /servers/{server_id}/os-instance-actions/{id}", version, shown) == []
        assert ("traceback" in events[0]) == admin
        assert ("host" in events[0]) == (admin and asked >= at("2.62"))
        assert ("details" in events[0]) == (admin and asked >= at("2.84"))
