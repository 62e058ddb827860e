"""Preparers of what stands beside servers: groups, aggregates, quota classes, usage, services, events from outside."""

from __future__ import annotations

import datetime
import time
import urllib.parse
from typing import Any

from tests.harness.contract import material
from tests.harness.contract.material import Call
from tests.harness.contract.prepare import Prepared, plain, preparer
from tests.harness.contract.world import World, WorldError

# -- server groups ----------------------------------------------------------------------------------

_GROUPS = "/v2.1/os-server-groups"


def _new_group(world: World, call: Call) -> str:
    """A group as the samples show it."""
    rules = {"policy": "anti-affinity", "rules": {"max_server_per_host": 3}}
    policy: dict[str, Any] = rules if call.version >= (2, 64) else {"policies": ["anti-affinity"]}
    body = {"server_group": {"name": "test", **policy}}
    return str(world.must(call.role, "POST", _GROUPS, body, call.microversion).body["server_group"]["id"])


def _forget(world: World, role: str, path: str) -> None:
    world.must(role, "DELETE", path)


@preparer("POST /os-server-groups")
def _create_group(world: World, call: Call) -> Prepared:
    def forget(reply_body: Any) -> None:
        _forget(world, call.role, f"{_GROUPS}/{reply_body['server_group']['id']}")

    return Prepared("POST", _GROUPS, material.sample(call.request or ""), call.status, call.response, None, forget)


@preparer("GET /os-server-groups", "GET /os-server-groups/{id}", "DELETE /os-server-groups/{id}")
def _group(world: World, call: Call) -> Prepared:
    path = f"{_GROUPS}/{_new_group(world, call)}"
    prepared = plain(world, call, path if call.operation.endswith("{id}") else _GROUPS)

    def forget(reply_body: Any) -> None:
        if prepared.method != "DELETE":
            _forget(world, call.role, path)

    return Prepared(prepared.method, prepared.path, None, call.status, call.response, None, forget)


# -- aggregates -------------------------------------------------------------------------------------

_AGGREGATES = "/v2.1/os-aggregates"
_HYPERVISORS = "/v2.1/os-hypervisors/detail?with_servers=1"


def _free_host(world: World) -> str:
    """A host without servers: one with servers does not change its zone."""
    world.reap(keep=0)
    nodes = world.must("admin", "GET", _HYPERVISORS, version="2.75").body["hypervisors"]
    for node in nodes:
        if not node["servers"]:
            return str(node["service"]["host"])
    raise WorldError(f"no host without servers: {[node['servers'] for node in nodes]}")


@preparer("GET /os-aggregates", "GET /os-aggregates/{id}", "PUT /os-aggregates/{id}", "POST /os-aggregates",
          *(f"POST /os-aggregates/{{id}}/action {action}" for action in ("add_host", "remove_host", "set_metadata"))
)  # fmt: skip
def _aggregate(world: World, call: Call) -> Prepared:
    method, path, *action = call.operation.split()
    body: Any = material.sample(call.request) if call.request else None
    target = _AGGREGATES
    if call.operation == "POST /os-aggregates":
        body["aggregate"]["name"] = world.unique("aggregate-")
    else:
        new = {"aggregate": {"name": world.unique("aggregate-"), "availability_zone": "london"}}
        number = world.must("admin", "POST", _AGGREGATES, new).body["aggregate"]["id"]
        target = "/v2.1" + path.replace("{id}", str(number))
    host = _free_host(world) if "host" in call.operation or call.operation == "GET /os-aggregates" else None
    if host and action != ["add_host"]:
        world.must("admin", "POST", f"{_AGGREGATES}/{number}/action", {"add_host": {"host": host}})
    if host and body:
        body[action[0]]["host"] = host
    if method == "PUT":
        body["aggregate"]["name"] = world.unique("aggregate-")

    return Prepared(
        method, target, body, call.status, call.response, None, lambda reply_body: _forget_aggregates(world)
    )


def _forget_aggregates(world: World) -> None:
    """Those that were made here."""
    for each in world.must("admin", "GET", _AGGREGATES).body["aggregates"]:
        if each["name"].startswith("aggregate-"):
            for host in each["hosts"]:
                body = {"remove_host": {"host": host}}
                world.must("admin", "POST", f"{_AGGREGATES}/{each['id']}/action", body)
            _forget(world, "admin", f"{_AGGREGATES}/{each['id']}")


# -- quota classes ----------------------------------------------------------------------------------


@preparer("GET /os-quota-class-sets/{id}")
def _quota_class(world: World, call: Call) -> Prepared:
    return plain(world, call, "/v2.1/os-quota-class-sets/default")


@preparer("PUT /os-quota-class-sets/{id}")
def _change_quota_class(world: World, call: Call) -> Prepared:
    note = "a class that nobody is in: the limits of the cloud under test stay as they are"
    path = f"/v2.1/os-quota-class-sets/{world.unique('class-')}"
    return Prepared("PUT", path, material.sample(call.request or ""), call.status, call.response, note)


# -- services ---------------------------------------------------------------------------------------


@preparer("DELETE /os-services/{id}")
def _delete_service(world: World, call: Call) -> Prepared:
    """A daemon that lives announces itself again: the world waits until it is whole."""
    host = _free_host(world)
    path = f"/v2.1/os-services?binary=nova-compute&host={host}"
    (service,) = world.must("admin", "GET", path, version=call.microversion).body["services"]
    there = len(world.must("admin", "GET", _HYPERVISORS, version="2.75").body["hypervisors"])

    def whole(reply_body: Any) -> None:
        deadline = time.monotonic() + world.timeout_s
        while len(world.must("admin", "GET", _HYPERVISORS, version="2.75").body["hypervisors"]) < there:
            if time.monotonic() > deadline:
                raise WorldError(f"host {host} did not come back")
            world.sleep(0.05)

    return Prepared("DELETE", f"/v2.1/os-services/{service['id']}", None, call.status, None, None, whole)


# -- usage ------------------------------------------------------------------------------------------


@preparer("GET /os-simple-tenant-usage", "GET /os-simple-tenant-usage/{id}")
def _usage(world: World, call: Call) -> Prepared:
    """Two servers ran: one is the marker, one is what comes after it."""
    world.reap(keep=0)
    begin = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)  # the samples show no server that ended
    others = [world.new_server() for _ in range(3)]
    project = world.show(others[0])["tenant_id"]
    path = "/v2.1" + call.operation.split()[1].replace("{id}", project)
    query = urllib.parse.parse_qsl(call.query or "")
    later = begin + datetime.timedelta(hours=1)
    values = {"start": begin.isoformat(), "end": later.isoformat(), "marker": min(others)}
    text = urllib.parse.urlencode([(key, values.get(key, value)) for key, value in query])

    def delete(reply_body: Any) -> None:
        for server in others:
            world.delete(server)

    note = "the sample shows servers of two projects" if (call.response or "").endswith("get-all.json") else None
    return Prepared("GET", f"{path}?{text}", None, call.status, call.response, note, delete)


# -- events from other services ---------------------------------------------------------------------


@preparer("POST /os-server-external-events")
def _external_event(world: World, call: Call) -> Prepared:
    body = material.sample(call.request or "")
    body["events"][0].update(server_uuid=world.subject("ACTIVE"), name="network-changed")
    note = "the sample's event is refused by its own version (README, limits): sent with the name of its answer"
    return Prepared("POST", "/v2.1/os-server-external-events", body, call.status, call.response, note)
