"""THE REPLAY: sends the calls of the contract's fixtures.json to a compute API and compares status and shape.

    python -m tests.harness.contract.replay --endpoint http://127.0.0.1:8774 --token-member T --token-admin T --image ID

Both tokens belong to the same project, best an empty one. Exit code 0 when nothing failed.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import re
import sys
import urllib.parse
from collections.abc import Callable, Iterable
from typing import Any

import requests

from tests.harness import contract
from tests.harness.contract import fields, material, report, shape
from tests.harness.contract.endpoint import Endpoint, HttpEndpoint, Reply, maximum
from tests.harness.contract.material import Call
from tests.harness.contract.prepare import PREPARERS, Prepared, prepare
from tests.harness.contract.report import Outcome, Verdict
from tests.harness.contract.substitute import Unavailable
from tests.harness.contract.world import Lacking, World, WorldError

# Importing a module of preparers registers them.
for _module in pkgutil.iter_modules(contract.__path__):
    if _module.name.startswith("prepare_"):
        importlib.import_module(f"{contract.__name__}.{_module.name}")

# What says how a server is just now: not judged where the list holds servers that are not ours.
STATE_KEYS = frozenset({"status", "locked", "OS-EXT-STS:vm_state", "OS-EXT-STS:power_state", "OS-EXT-STS:task_state"})


DISK_CONFIG = "OS-DCF:diskConfig"


def later_tiers() -> set[str]:
    """Operations of T2 and T3 that can be replayed; the actions of servers are compared with their routes instead."""
    tiers = material.operations()
    recorded = {call.operation for call in material.calls()}
    return {
        each for each in PREPARERS
        if tiers[each]["tier"] in ("T2", "T3") and not each.startswith("POST /servers/{id}/action") and each in recorded
    }  # fmt: skip


class Replay:
    """Replays calls in one world; ``ours`` says that no other servers are in the project."""

    def __init__(self, endpoint: Endpoint, world: World) -> None:
        self._endpoint = endpoint
        self._world = world
        self._maximum = maximum(endpoint)
        self._ours = not endpoint.call("admin", "GET", "/v2.1/servers").body["servers"]

    def run(self, calls: Iterable[Call], progress: Callable[[Outcome], None] = lambda outcome: None) -> list[Outcome]:
        """Every call, each with an outcome: none is left out."""
        self._world.flavor()  # lists of flavors must not be empty
        outcomes = []
        for call in calls:
            outcome = self.one(call)
            progress(outcome)
            outcomes.append(outcome)
        return outcomes

    def one(self, call: Call) -> Outcome:
        try:
            if call.version > self._maximum:
                return self._above(call)
            return self._judge(call, self._prepared(call))
        except (Lacking, Unavailable) as error:
            return Outcome(call, Verdict.BLOCKED, (f"the endpoint has not got {error}",))
        except WorldError as error:
            return Outcome(call, Verdict.FAILED, (str(error),))

    def _prepared(self, call: Call) -> Prepared:
        return prepare(self._world, call)

    def _above(self, call: Call) -> Outcome:
        """A version over the maximum is 406 with the contract's sentence, whatever the call (states.md, section 3)."""
        method = call.operation.split()[0]
        path = "/v2.1" + material.operations()[call.operation]["path"].replace("{id}", "0")
        body: Any = {} if method in ("POST", "PUT") else None
        reply = self._endpoint.call(call.role, method, path, body, call.microversion)
        top = ".".join(map(str, self._maximum))
        sentence = f"Version {call.microversion} is not supported by the API. Minimum is 2.1 and maximum is {top}."
        if reply.status == 406 and reply.message == sentence:
            return Outcome(call, Verdict.ABOVE)
        return Outcome(call, Verdict.FAILED, (f"{reply.status} {reply.message!r}, expected 406 {sentence!r}",))

    def _judge(self, call: Call, prepared: Prepared) -> Outcome:
        reply = self._endpoint.call(call.role, prepared.method, prepared.path, prepared.body, call.microversion)
        problems = self._problems(call, prepared, reply)
        if reply.status < 300:
            try:
                prepared.after(reply.body)
            except WorldError as error:
                problems.append(f"afterwards: {error}")
        return Outcome(call, Verdict.FAILED if problems else Verdict.PASSED, tuple(problems), prepared.note)

    def _problems(self, call: Call, prepared: Prepared, reply: Reply) -> list[str]:
        if reply.status != prepared.status:
            return [f"status {reply.status} instead of {prepared.status}: {reply.message}"]
        problems = headers(call, prepared.path, reply)
        if reply.status >= 400:
            return problems + error_shape(reply)
        if prepared.sample is not None:
            problems += shape.compare(material.sample(prepared.sample), reply.body, self._asked(call, prepared))
        if call.operation in material.fields() and reply.body is not None:
            problems += [f"fields: {each}" for each in fields.check(call.operation, call.version, reply.body)]
        return problems

    def _asked(self, call: Call, prepared: Prepared) -> shape.Asked:
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(prepared.path).query))
        limit = int(query["limit"]) if "limit" in query else None
        listing = call.operation in ("GET /servers", "GET /servers/detail")
        constants = shape.CONSTANT_KEYS - STATE_KEYS if listing and not self._ours else shape.CONSTANT_KEYS
        if call.operation == "POST /servers" and DISK_CONFIG not in prepared.body["server"]:
            constants -= {DISK_CONFIG}  # then it is the image's word
        if call.operation.endswith(" rebuild"):
            constants -= STATE_KEYS  # Nova's sample tests wait for the end before they answer
        if (call.response or "").endswith("-resp-rescue.json"):
            constants -= {"OS-EXT-STS:power_state"}  # the fake driver of Nova's sample tests leaves the guest off
        if call.operation == "GET /os-migrations":
            constants -= STATE_KEYS  # how far each of them got is history
        return shape.Asked(call.role, call.version, limit, constants)


_REQUEST_ID = re.compile(rf"^req-{shape.UUID}$")
_ERROR_KEYS = {
    400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 405: "badMethod",
    409: "conflictingRequest", 413: "overLimit", 415: "badMediaType", 429: "overLimit", 501: "notImplemented",
    503: "serviceUnavailable",
}  # fmt: skip


def headers(call: Call, path: str, reply: Reply) -> list[str]:
    """What is wrong with the headers that every answer of /v2.1 carries (states.md, section 4)."""
    if not path.startswith("/v2.1") or path.rstrip("/") == "/v2.1":
        return []
    problems = []
    ids = [reply.headers.get(name, "") for name in ("x-openstack-request-id", "x-compute-request-id")]
    if not _REQUEST_ID.match(ids[0]) or ids[0] != ids[1]:
        problems.append(f"request ids {ids}")
    wanted = {
        "OpenStack-API-Version": f"compute {call.microversion}",
        "X-OpenStack-Nova-API-Version": call.microversion,
    }
    for name, value in wanted.items():
        if reply.headers.get(name) != value:
            problems.append(f"header {name} is {reply.headers.get(name)!r}, not {value!r}")
        if name.lower() not in reply.headers.get("Vary", "").lower():
            problems.append(f"header Vary does not name {name}")
    return problems


def error_shape(reply: Reply) -> list[str]:
    """What is wrong with an error body (states.md, section 3)."""
    key = _ERROR_KEYS.get(reply.status, "computeFault")
    body = reply.body
    if not isinstance(body, dict) or list(body) != [key]:
        return [f"error body {reply.text[:200]} where one key {key} is asked for"]
    inner: Any = body[key]
    if inner.get("code") != reply.status or not isinstance(inner.get("message"), str):
        return [f"error body {inner}"]
    return []


def main(arguments: list[str] | None = None) -> int:
    options = _arguments(arguments)
    endpoint = HttpEndpoint(options.endpoint, {"member": options.token_member, "admin": options.token_admin})
    cinder = volume_service(options.volumes, options.token_member) if options.volumes else None
    world = World(endpoint, options.image, options.zone, options.network, options.timeout, cinder=cinder)
    if options.network_endpoint:
        world.neutron = network_service(options.network_endpoint, options.token_member)
    calls = material.calls_of(*options.tier)
    if options.operation:
        calls = [call for call in calls if re.search(options.operation, call.operation)]
    outcomes = Replay(endpoint, world).run(calls, _progress if options.verbose else lambda outcome: None)
    try:
        world.close()
    except WorldError as error:
        print(f"while cleaning up: {error}", file=sys.stderr)
    print(report.notes(outcomes))
    print(report.table(outcomes))
    return int(any(outcome.verdict == Verdict.FAILED for outcome in outcomes))


def volume_service(url: str, token: str) -> Callable[[str, str, Any], Any]:
    """The member at the volume service: method, path and body, to the answer's JSON."""
    headers = {"X-Auth-Token": token, "OpenStack-API-Version": "volume 3.44"}
    return _member_at("volume service", url.rstrip("/"), headers)


def network_service(url: str, token: str) -> Callable[[str, str, Any], Any]:
    """The member at the network service: method, path below /v2.0 and body, to the answer's JSON."""
    return _member_at("network service", url.rstrip("/") + "/v2.0/", {"X-Auth-Token": token})


def _member_at(service: str, base: str, headers: dict[str, str]) -> Callable[[str, str, Any], Any]:
    def ask(method: str, path: str, body: Any) -> Any:
        answer = requests.request(method, base + path, json=body, headers=headers, timeout=60)
        if answer.status_code >= 400:
            raise WorldError(f"{method} {path} at the {service}: {answer.status_code} {answer.text[:200]}")
        return answer.json() if answer.content else None

    return ask


def _progress(outcome: Outcome) -> None:
    print(f"{outcome.verdict.value:<9} {outcome.call.label()}", file=sys.stderr, flush=True)


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="replay", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--endpoint", required=True, help="the compute API's root, without /v2.1")
    parser.add_argument("--token-member", required=True, help="a token with the role member")
    parser.add_argument("--token-admin", required=True, help="a token with the role admin in the same project")
    parser.add_argument("--image", required=True, help="id of an active image")
    parser.add_argument("--network", help="id of a network, for requests that name one")
    parser.add_argument("--network-endpoint", help="the network service's URL, without /v2.0")
    parser.add_argument("--zone", default="nova", help="an availability zone (default: %(default)s)")
    parser.add_argument("--volumes", metavar="URL", help="the volume service's v3 endpoint, where the cloud has one")
    parser.add_argument("--tier", action="append", choices=["T1", "T2", "T3"], help="may repeat (default: T1)")
    parser.add_argument("--operation", help="only operations that match this regular expression")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds to wait for a state (default: 60)")
    parser.add_argument("--verbose", action="store_true", help="one line a call on standard error")
    options = parser.parse_args(arguments)
    options.tier = options.tier or ["T1"]
    return options


if __name__ == "__main__":
    sys.exit(main())
