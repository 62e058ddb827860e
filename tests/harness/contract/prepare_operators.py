"""Preparers of later tiers' calls: managing flavors, what clients and operators read. Importing it registers them."""

from __future__ import annotations

import datetime
import urllib.parse
from typing import Any

from tests.harness.contract import material
from tests.harness.contract.material import Call
from tests.harness.contract.prepare import Prepared, plain, preparer
from tests.harness.contract.world import Lacking, World

PROJECT = "fake_tenant"
SPECS = {"hw:cpu_policy": "shared", "hw:numa_nodes": "1"}


# -- flavors ----------------------------------------------------------------------------------------


def _new_flavor(world: World, **more: Any) -> str:
    """A flavor of its own for this call."""
    name = world.unique("flavor-")
    body = {"flavor": {"name": name, "ram": 64, "vcpus": 1, "disk": 1, "id": name, **more}}
    world.must("admin", "POST", "/v2.1/flavors", body)
    world.adopt_flavor(name)
    return name


def _private_flavor(world: World, *, given: bool) -> str:
    flavor = _new_flavor(world, **{"os-flavor-access:is_public": False})
    if given:
        body = {"addTenantAccess": {"tenant": PROJECT}}
        world.must("admin", "POST", f"/v2.1/flavors/{flavor}/action", body)
    return flavor


@preparer("POST /flavors")
def _create_flavor(world: World, call: Call) -> Prepared:
    body = material.sample(call.request or "")
    body["flavor"]["name"] = body["flavor"]["id"] = name = world.unique("flavor-")
    world.adopt_flavor(name)
    return Prepared("POST", "/v2.1/flavors", body, call.status, call.response)


@preparer("PUT /flavors/{id}")
def _describe_flavor(world: World, call: Call) -> Prepared:
    flavor = _new_flavor(world)
    world.must("admin", "POST", f"/v2.1/flavors/{flavor}/os-extra_specs", {"extra_specs": SPECS})
    return Prepared("PUT", f"/v2.1/flavors/{flavor}", material.sample(call.request or ""), call.status, call.response)


@preparer("DELETE /flavors/{id}")
def _delete_flavor(world: World, call: Call) -> Prepared:
    return plain(world, call, f"/v2.1/flavors/{_new_flavor(world)}")


@preparer("POST /flavors/{id}/action addTenantAccess", "POST /flavors/{id}/action removeTenantAccess")
def _change_access(world: World, call: Call) -> Prepared:
    # A public flavor is what Nova's own test meets the 409 with.
    removes = call.operation.endswith("removeTenantAccess")
    flavor = world.flavor() if call.status == 409 else _private_flavor(world, given=removes)
    body = material.sample(call.request or "")
    return Prepared("POST", f"/v2.1/flavors/{flavor}/action", body, call.status, call.response)


@preparer("GET /flavors/{flavor_id}/os-flavor-access")
def _access(world: World, call: Call) -> Prepared:
    return plain(world, call, f"/v2.1/flavors/{_private_flavor(world, given=True)}/os-flavor-access")


@preparer(
    "GET /flavors/{flavor_id}/os-extra_specs",
    "POST /flavors/{flavor_id}/os-extra_specs",
    "GET /flavors/{flavor_id}/os-extra_specs/{id}",
    "PUT /flavors/{flavor_id}/os-extra_specs/{id}",
    "DELETE /flavors/{flavor_id}/os-extra_specs/{id}",
)
def _extra_specs(world: World, call: Call) -> Prepared:
    method, path = call.operation.split()
    collection = f"/v2.1/flavors/{_new_flavor(world)}/os-extra_specs"
    if method != "POST":
        world.must("admin", "POST", collection, {"extra_specs": SPECS})
    body = material.sample(call.request) if call.request else None
    shown = material.sample(call.response) if call.response else {}
    key = next(iter(body or shown)) if path.endswith("{id}") and (body or shown) else "hw:numa_nodes"
    target = f"{collection}/{urllib.parse.quote(key)}" if path.endswith("{id}") else collection
    return Prepared(method, target, body, call.status, call.response)


# -- what operators and clients read ------------------------------------------------------------------


@preparer("GET /extensions", "GET /os-availability-zone", "GET /os-availability-zone/detail", "GET /os-services")
def _read(world: World, call: Call) -> Prepared:
    prepared = plain(world, call, "/v2.1" + call.operation.split()[1])
    if call.operation == "GET /os-services" and call.version >= (2, 69):
        note = "the sample shows a cell that is down (2.69, T4); with one cell the one of 2.53 holds"
        return Prepared("GET", prepared.path, None, call.status, "os-services/v2.53/services-list-get-resp.json", note)
    if call.operation == "GET /os-availability-zone/detail":
        note = "hosts and binaries are this cloud's own: judged by the contract's fields"
        return Prepared("GET", prepared.path, None, call.status, None, note)
    return prepared


@preparer("GET /extensions/{id}")
def _extension(world: World, call: Call) -> Prepared:
    return plain(world, call, "/v2.1/extensions/os-agents")


def _nodes(world: World, call: Call) -> list[Any]:
    found = world.must("admin", "GET", "/v2.1/os-hypervisors", version=call.microversion).body["hypervisors"]
    if len(found) < 2:
        raise Lacking("two hypervisors")
    return list(found)


@preparer("GET /os-hypervisors", "GET /os-hypervisors/detail")
def _hypervisors(world: World, call: Call) -> Prepared:
    first, *_ = _nodes(world, call)
    name = world.show(world.subject("ACTIVE"))["OS-EXT-SRV-ATTR:hypervisor_hostname"]
    path = "/v2.1" + call.operation.split()[1]
    prepared = plain(world, call, path, marker=str(first["id"]), hypervisor_hostname_pattern=name)
    if "with_servers" not in (call.query or ""):
        return prepared
    note = "asked for the one host that has a server: the sample shows no empty host"
    return Prepared(
        "GET", f"{prepared.path}&hypervisor_hostname_pattern={name}", None, call.status, call.response, note
    )


@preparer("GET /os-hypervisors/statistics")
def _statistics(world: World, call: Call) -> Prepared:
    return plain(world, call, "/v2.1/os-hypervisors/statistics")


@preparer("GET /os-hypervisors/{id}", "GET /os-hypervisors/{id}/uptime")
def _hypervisor(world: World, call: Call) -> Prepared:
    server = world.show(world.subject("ACTIVE"))
    name = server["OS-EXT-SRV-ATTR:hypervisor_hostname"]
    node = next(each for each in _nodes(world, call) if each["hypervisor_hostname"] == name)
    path = f"/v2.1/os-hypervisors/{node['id']}"
    if not call.operation.endswith("/uptime"):
        return plain(world, call, path)
    note = "no driver tells it: 501, as Nova's fake driver (states.md, corrections)"
    return Prepared("GET", f"{path}/uptime", None, 501, None, note)


# -- instance actions ---------------------------------------------------------------------------------


def _history(world: World) -> tuple[str, list[str]]:
    """A server that was made, stopped and started; its request ids, newest first."""
    server = world.subject("SHUTOFF")
    path = f"/v2.1/servers/{server}/os-instance-actions"
    found = world.must("admin", "GET", path, version="2.58").body["instanceActions"]
    return path, [each["request_id"] for each in found]


@preparer("GET /servers/{server_id}/os-instance-actions")
def _actions(world: World, call: Call) -> Prepared:
    path, ids = _history(world)
    now = datetime.datetime.now(datetime.UTC)
    moments = {
        "changes-since": (now - datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "changes-before": (now + datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return plain(world, call, path, marker=ids[0], **moments)


@preparer("GET /servers/{server_id}/os-instance-actions/{id}")
def _action(world: World, call: Call) -> Prepared:
    path, ids = _history(world)
    return plain(world, call, f"{path}/{ids[0]}")


# -- quotas, services, addresses ------------------------------------------------------------------------


@preparer(*(f"GET /os-quota-sets/{{id}}{tail}" for tail in ("", "/detail", "/defaults")))
def _quota_set(world: World, call: Call) -> Prepared:
    path = "/v2.1" + call.operation.split()[1].replace("{id}", world.unique("project-"))
    if call.role == "admin":
        return plain(world, call, path)
    own = world.show(world.subject("ACTIVE"))["tenant_id"]
    return plain(world, call, "/v2.1" + call.operation.split()[1].replace("{id}", own))


@preparer("PUT /os-quota-sets/{id}", "DELETE /os-quota-sets/{id}")
def _change_quota_set(world: World, call: Call) -> Prepared:
    body = material.sample(call.request) if call.request else None
    path = f"/v2.1/os-quota-sets/{world.unique('project-')}"
    path += f"?{call.query}" if call.query else ""
    return Prepared(call.operation.split()[0], path, body, call.status, call.response)


@preparer("PUT /os-services/{id}")
def _change_service(world: World, call: Call) -> Prepared:
    listed = world.must("admin", "GET", "/v2.1/os-services?binary=nova-compute", version="2.53").body["services"]
    host = listed[-1]
    body = material.sample(call.request or "")
    word = host["id"]
    if call.version < (2, 53):
        body.update(host=host["host"])
        words = {"disable-log": "disable-log-reason", "force-down": "force-down", "disable": "disable"}
        name = (call.request or "").rsplit("/", 1)[1]
        word = next((each for start, each in words.items() if name.startswith(f"service-{start}-put")), "enable")
    elif "force-down" in (call.request or ""):  # the sample's service was disabled before
        off = {"status": "disabled", "disabled_reason": "test2"}
        world.must("admin", "PUT", f"/v2.1/os-services/{host['id']}", off, "2.53")

    def put_back(reply_body: Any) -> None:
        on = {"status": "enabled", "forced_down": False}
        world.must("admin", "PUT", f"/v2.1/os-services/{host['id']}", on, "2.53")

    return Prepared("PUT", f"/v2.1/os-services/{word}", body, call.status, call.response, None, put_back)


@preparer("GET /servers/{server_id}/ips", "GET /servers/{server_id}/ips/{id}")
def _addresses(world: World, call: Call) -> Prepared:
    server = world.show(world.subject("ACTIVE"))
    path = f"/v2.1/servers/{server['id']}/ips"
    if not server["addresses"]:
        raise Lacking("a server with an address")
    return plain(world, call, path if call.operation.endswith("/ips") else f"{path}/{next(iter(server['addresses']))}")
