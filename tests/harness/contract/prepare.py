"""Turns a call of fixtures.json into a request for the world under test, and says what to expect of it.

One function per operation. What the contract itself corrects (README "Limits", states.md) is a table with its reason,
and the report prints every use of it.
"""

from __future__ import annotations

import datetime
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.harness.contract import material, substitute
from tests.harness.contract.material import Call
from tests.harness.contract.world import Lacking, World

_ONE_CELL = "shown only while a cell is down (2.69, T4); with one cell nothing changes, so the usual sample holds"
OTHER_SAMPLE = {
    "servers/v2.69/servers-list-resp.json": ("servers/v2.52/servers-list-resp.json", _ONE_CELL),
    "servers/v2.69/servers-details-resp.json": ("servers/v2.63/servers-details-resp.json", _ONE_CELL),
    "servers/v2.69/server-get-resp.json": ("servers/v2.63/server-get-resp.json", _ONE_CELL),
    "servers/v2.71/server-get-down-cell-resp.json": ("servers/v2.71/server-get-resp.json", _ONE_CELL),
}
REFUSED_SAMPLES = {
    "servers/v2.90/server-create-req.json": "refused by its own version: personality, no networks (README, limits)",
    "servers/v2.94/server-create-req.json": "refused by its own version: personality, no networks (README, limits)",
}
FOREIGN_USER = "fake1"


@dataclass(frozen=True)
class Prepared:
    """A request ready to send, and what should come back. ``after`` cleans up and may raise WorldError."""

    method: str
    path: str
    body: Any = None
    status: int = 200
    sample: str | None = None
    note: str | None = None
    after: Callable[[Any], None] = lambda reply_body: None


Preparer = Callable[[World, Call], Prepared]
PREPARERS: dict[str, Preparer] = {}


def preparer(*operations: str) -> Callable[[Preparer], Preparer]:
    def register(function: Preparer) -> Preparer:
        for operation in operations:
            PREPARERS[operation] = function
        return function

    return register


def prepare(world: World, call: Call) -> Prepared:
    """The request of a call.

    :raises Lacking: nobody has written how to prepare this operation, or the endpoint has not got what it needs.
    """
    if call.operation not in PREPARERS:
        raise Lacking("a preparer for this operation in tests/harness/contract/prepare.py")
    prepared = PREPARERS[call.operation](world, call)
    if call.response in OTHER_SAMPLE:
        path, note = OTHER_SAMPLE[call.response]
        return Prepared(prepared.method, prepared.path, prepared.body, prepared.status, path, note, prepared.after)
    return prepared


def _query(call: Call, **values: str) -> str:
    """The call's query with the places filled in; every key keeps its order."""
    if not call.query:
        return ""
    pairs = urllib.parse.parse_qsl(call.query, keep_blank_values=True)
    return "?" + urllib.parse.urlencode([(key, values.get(key, value)) for key, value in pairs])


def plain(world: World, call: Call, path: str, **query: str) -> Prepared:
    """A request without a body."""
    method = call.operation.split()[0]
    return Prepared(method, path + _query(call, **query), status=call.status, sample=call.response)


# -- versions, flavors, limits ------------------------------------------------------------------------


@preparer("GET (root) /")
def _root(world: World, call: Call) -> Prepared:
    document = (call.response or "").removeprefix("versions/")
    path = {"v2-version-get-resp.json": "/v2/", "v21-version-get-resp.json": "/v2.1/"}.get(document, "/")
    return Prepared("GET", path, status=call.status, sample=call.response)


@preparer("GET /flavors", "GET /flavors/detail", "GET /limits")
def _list(world: World, call: Call) -> Prepared:
    return plain(world, call, "/v2.1" + call.operation.split()[1])


@preparer("GET /flavors/{id}")
def _flavor(world: World, call: Call) -> Prepared:
    return plain(world, call, f"/v2.1/flavors/{world.flavor()}")


# -- keypairs -----------------------------------------------------------------------------------------


@preparer("GET /os-keypairs")
def _keypairs(world: World, call: Call) -> Prepared:
    asked = dict(urllib.parse.parse_qsl(call.query or ""))
    user = asked.get("user_id")
    if call.status == 403:
        return plain(world, call, "/v2.1/os-keypairs", user_id=FOREIGN_USER)
    names = sorted(world.keypair(call.role, user) for _ in range(3))
    return plain(world, call, "/v2.1/os-keypairs", marker=names[0])


@preparer("GET /os-keypairs/{id}", "DELETE /os-keypairs/{id}")
def _keypair(world: World, call: Call) -> Prepared:
    user = None
    if call.query:  # Nova's tests call the caller's own user "fake"
        user = FOREIGN_USER if call.role == "admin" else world.user(call.role)
    name = world.keypair(call.role, user)
    return plain(world, call, f"/v2.1/os-keypairs/{name}", **({"user_id": user} if user else {}))


@preparer("POST /os-keypairs")
def _create_keypair(world: World, call: Call) -> Prepared:
    ids = substitute.Ids(image="", flavor="", user=world.user(call.role), unique=world.unique)
    body = substitute.request(material.sample(call.request or ""), ids)
    note = None
    refused_anyway = call.version >= (2, 92) and "public_key" not in body["keypair"]
    if call.status == 400 and not refused_anyway:
        body["keypair"]["type"] = "fakey_type"
        note = "the 400 is made with an unknown type, as in Nova's sample test"
    if call.status == 403:
        body["keypair"]["user_id"] = FOREIGN_USER

    def remember(reply_body: Any) -> None:
        world.adopt_keypair(call.role, body["keypair"]["name"])

    return Prepared("POST", "/v2.1/os-keypairs", body, call.status, call.response, note, remember)


# -- servers ------------------------------------------------------------------------------------------


def _wants_lock(path: str | None) -> bool:
    """Whether the sample shows a locked server."""
    shown = material.sample(path) if path else {}
    servers = shown.get("servers") or [shown.get("server") or {}]
    return any(server.get("locked") is True for server in servers)


@preparer("GET /servers", "GET /servers/detail")
def _servers(world: World, call: Call) -> Prepared:
    world.subject("ACTIVE", locked=_wants_lock(call.response))
    world.reap(keep=0)
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    path = "/v2.1" + call.operation.split()[1]
    return plain(world, call, path, **{"changes-before": later.strftime("%Y-%m-%dT%H:%M:%SZ")})


@preparer("GET /servers/{id}")
def _server(world: World, call: Call) -> Prepared:
    rescued = (call.response or "").endswith("-resp-rescue.json")
    server = world.subject("RESCUE" if rescued else "ACTIVE", locked=_wants_lock(call.response))
    return plain(world, call, f"/v2.1/servers/{server}")


@preparer("PUT /servers/{id}")
def _update(world: World, call: Call) -> Prepared:
    server = world.subject("ACTIVE")
    body = substitute.request(material.sample(call.request or ""), world.ids(call.role))
    return Prepared("PUT", f"/v2.1/servers/{server}", body, call.status, call.response)


@preparer("POST /servers")
def _create(world: World, call: Call) -> Prepared:
    sample = material.sample(call.request or "")
    devices = sample["server"].get("block_device_mapping_v2", ())
    if any(each["destination_type"] == "volume" for each in devices) and not world.has_volumes:
        raise Lacking("a volume service")
    body = substitute.request(sample, world.ids(call.role))
    name = body["server"]["name"] = world.unique("replay-")
    if call.request in REFUSED_SAMPLES:
        return Prepared("POST", "/v2.1/servers", body, 400, None, REFUSED_SAMPLES[call.request])

    def settle(reply_body: Any) -> None:
        world.settle_all(name)

    return Prepared("POST", "/v2.1/servers", body, call.status, call.response, None, settle)


@preparer("DELETE /servers/{id}")
def _delete(world: World, call: Call) -> Prepared:
    return plain(world, call, f"/v2.1/servers/{world.new_server()}")


# -- server actions -----------------------------------------------------------------------------------

# action: (status that it needs, locked, status that it ends in)
ACTIONS = {
    "os-start": ("SHUTOFF", False, "ACTIVE"),
    "os-stop": ("ACTIVE", False, "SHUTOFF"),
    "reboot": ("ACTIVE", False, "ACTIVE"),
    "pause": ("ACTIVE", False, "PAUSED"),
    "unpause": ("PAUSED", False, "ACTIVE"),
    "suspend": ("ACTIVE", False, "SUSPENDED"),
    "resume": ("SUSPENDED", False, "ACTIVE"),
    "lock": ("ACTIVE", False, "ACTIVE"),
    "unlock": ("ACTIVE", True, "ACTIVE"),
    "os-getConsoleOutput": ("ACTIVE", False, "ACTIVE"),
    "os-resetState": ("ACTIVE", False, "ACTIVE"),
}


@preparer(*(f"POST /servers/{{id}}/action {action}" for action in ACTIONS))
def _action(world: World, call: Call) -> Prepared:
    action = call.operation.split()[-1]
    needs, locked, ends = ACTIONS[action]
    server = world.subject(needs, locked)
    body = material.sample(call.request) if call.request else {action: None}

    def wait(reply_body: Any) -> None:
        world.wait(server, ends)

    return Prepared("POST", f"/v2.1/servers/{server}/action", body, call.status, call.response, None, wait)


@preparer("POST /servers/{id}/action forceDelete")
def _force_delete(world: World, call: Call) -> Prepared:
    server = world.new_server()
    body = material.sample(call.request or "")
    return Prepared("POST", f"/v2.1/servers/{server}/action", body, call.status, call.response)
