"""Every call of the route table, asked with every role, of its own project and of another: the contract's ``who``.

Whoever may not is told so by the rule's name (403), another project's object is not found (404), and who may is not
stopped: then whatever the call itself answers is right, as the request may name things that are not there.
"""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
import webob
import yaml

from nova_lite import clock, policies
from nova_lite import conf as nova_conf
from nova_lite.api import deploy
from nova_lite.api.openstack.microversions import Microversion, at
from nova_lite.api.openstack.routes import ROUTES, Route
from nova_lite.db.api import instances, operations
from tests.harness.cloud import ADMIN, IMAGE_ID, PROJECT, Cloud
from tests.harness.contract import material, substitute
from tests.harness.roles import ROLES, Callers

try:
    material.operations()
except material.ContractMissing as error:
    pytest.skip(str(error), allow_module_level=True)

from tests.harness.contract import route_calls  # noqa: E402
from tests.harness.contract.route_calls import KEPT, UNKNOWN  # noqa: E402

pytestmark = pytest.mark.answers

ANOTHER = "0123456789abcdef0123456789abcdef"
MAY: dict[str, set[str]] = {
    "any user": set(ROLES),
    "the owning user, or admin": set(ROLES),  # the caller asks for his own: test_who_may.py has the others'
    "project reader": {"admin", "manager", "member", "reader"},
    "project member": {"admin", "manager", "member"},
    "project manager": {"admin", "manager"},
    "service or admin": {"admin", "service"},
    "admin": {"admin"},
}
STRANGERS = [role for role in ROLES if role != "admin"]


class World:
    """A server, a group and their project; a row is put back after each call, and nobody works on what is accepted."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.server = str(cloud.boot(name="mine")["id"])
        self.group = self.new_group()
        row = instances.get(self.server)
        kept = ("host", "node", "vm_state", "locked", "locked_by", "metadata")
        self._row = {name: getattr(row, name) for name in kept}
        self.ids = substitute.Ids(
            image=IMAGE_ID, flavor="42", server=self.server, host="host1", node="host1", group=self.group,
            key_name=None, user="demo", network=UNKNOWN,
        )  # fmt: skip

    def new_group(self) -> str:
        body = {"server_group": {"name": "g", "policies": ["affinity"]}}
        return str(self._cloud.post("/os-server-groups", body, version="2.1").json["server_group"]["id"])

    def put_back(self) -> None:
        operations.end_open(self.server, "the next cell")
        values = {**self._row, "task_state": None, "launched_at": clock.utcnow(), "display_name": "mine"}
        instances.update_if(self.server, values)

    def path(self, route: Route) -> str:
        """The row's path with ids that are this project's."""
        if route.method == "DELETE" and route.path.startswith("/os-server-groups"):
            self.group = self.new_group()
        first = {
            "servers": self.server, "flavors": "42", "os-quota-sets": PROJECT, "os-simple-tenant-usage": PROJECT,
            "os-server-groups": self.group, "os-quota-class-sets": "default", "os-keypairs": "none",
        }.get(route.path.split("/")[1], UNKNOWN)  # fmt: skip
        path = re.sub(r"\{\w+\}", first, route.path, count=1)
        return re.sub(r"\{\w+\}", UNKNOWN, path)

    def body(self, route: Route) -> Any:
        try:
            return route_calls.body(route, self.ids, _version(route))
        except substitute.Unavailable as missing:
            pytest.fail(f"the matrix has no {missing} to name")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    # The host that will not answer any more is waited for in vain, but not taken for dead.
    options = {"operations": {"service_down_s": 36_000.0}, "quota": {"server_groups": 1000}}
    with Cloud(tmp_path_factory.mktemp("matrix"), hosts=1, options=options) as running:
        nova_conf.CONF.set_override("rpc_response_timeout", 1)
        yield running
        nova_conf.CONF.clear_override("rpc_response_timeout")


@pytest.fixture(scope="module")
def world(cloud: Cloud) -> World:
    made = World(cloud)
    for name in list(cloud.services):
        cloud.stop(name)
    return made


@pytest.fixture(scope="module")
def callers(cloud: Cloud) -> Callers:
    return Callers(cloud.compute)


def _rule(route: Route) -> str:
    return str(route.policy or route_calls.entry(route).get("policy"))


def _verdict(status: int, body: Any, server: str) -> str:
    """``denied`` by this rule's name, ``hidden``, or ``allowed``, whatever came of it."""
    message = str(next(iter(body.values())).get("message", "")) if status >= 400 and isinstance(body, dict) else ""
    if status == 403 and message.startswith("Policy doesn't allow "):
        return "denied " + message.removeprefix("Policy doesn't allow ").removesuffix(" to be performed.")
    if status == 404 and message == f"Instance {server} could not be found.":
        return "hidden"
    return f"allowed ({status} {message})" if status < 500 or status in (501, 503) else f"broken ({status} {message})"


def _version(route: Route) -> Microversion:
    """The row's first; a live migration waits for its host's consent to 2.33."""
    return at("2.34") if route.action == "os-migrateLive" else route.since


def _row_of(callers: Callers, world: World, route: Route, project: str) -> dict[str, str]:
    """Each role's verdict."""
    found = {}
    for role in ROLES:
        world.put_back()
        path, version = world.path(route), str(_version(route))
        status, body = callers.ask(role, route.method, path, world.body(route), version, project)
        found[role] = _verdict(status, body, world.server)
    return found


@pytest.mark.parametrize("route", KEPT, ids=route_calls.label)
def test_in_ones_own_project(callers: Callers, world: World, route: Route) -> None:
    may = MAY[route_calls.entry(route)["who"]]
    for role, verdict in _row_of(callers, world, route, PROJECT).items():
        if role in may:
            assert verdict.startswith("allowed"), role
        else:
            assert verdict == f"denied {_rule(route)}", role


@pytest.mark.parametrize("route", [each for each in KEPT if each.subject], ids=route_calls.label)
def test_of_another_project(callers: Callers, world: World, route: Route) -> None:
    verdicts = _row_of(callers, world, route, ANOTHER)
    assert verdicts["admin"].startswith("allowed")
    for role in STRANGERS:
        if route.subject in ("server", "server_or_deleted"):
            assert verdicts[role] == "hidden", role
        elif route.subject != "project":
            assert verdicts[role].startswith("allowed (404"), role  # not found, in the noun's own words
        elif route_calls.entry(route)["who"] == "any user":
            assert verdicts[role].startswith("allowed"), role
        else:
            assert verdicts[role] == f"denied {_rule(route)}", role


def test_every_role_of_the_contract_is_asked() -> None:
    asked = {route_calls.entry(route)["who"] for route in KEPT}
    assert asked <= set(MAY)


# -- no token, and the site's own rules ---------------------------------------------------------------


def test_without_a_token_nothing_is_answered(cloud: Cloud, world: World) -> None:
    """The keystone pipeline of the Paste file; no identity service is asked about a request without a token."""
    settings = nova_conf.CONF
    settings.set_override("auth_strategy", "keystone", "api")
    settings.set_override("auth_url", "http://127.0.0.1:5000/v3", "service_auth")
    try:
        guarded = deploy.load_app("osapi_compute", conf=settings)
    finally:
        settings.set_override("auth_strategy", "noauth2", "api")
        settings.clear_override("auth_url", "service_auth")
    for route in ROUTES:
        if route.path in ("", "/"):
            continue  # discovery
        request = webob.Request.blank("/v2.1" + world.path(route), method=route.method)
        assert request.get_response(guarded).status_int == 401, route


def _with_rules(folder: pathlib.Path, rules: dict[str, str]) -> Cloud:
    (folder / "policy.yaml").write_text(yaml.safe_dump(rules))
    return Cloud(folder, options={"oslo_policy": {"policy_file": str(folder / "policy.yaml")}})


def test_the_sites_rules_win(tmp_path: pathlib.Path) -> None:
    """policy.yaml refuses everything, then opens one call to everybody: each call asks its rule, by its name."""
    closed = {rule.name: "!" for rule in policies.all_rules() if rule.operations}
    opened = {"os_compute_api:os-hypervisors:list": "@"}
    with _with_rules(tmp_path, closed | opened) as cloud:
        callers = Callers(cloud.compute)
        for route in KEPT:
            if route.policy is None or route.subject in ("server", "server_or_deleted", "server_group"):
                continue
            path = re.sub(r"\{\w+\}", "42", route.path)
            ids = substitute.Ids(image=IMAGE_ID, flavor="42", host="host1", group=UNKNOWN, network=UNKNOWN, user="demo")
            status, body = callers.ask("admin", route.method, path, route_calls.body(route, ids), str(route.since))
            expected = "allowed" if route.policy in opened else f"denied {route.policy}"
            assert _verdict(status, body, UNKNOWN).startswith(expected), route
        assert callers.ask("none", "GET", "/os-hypervisors")[0] == 200
        assert cloud.get("/os-hypervisors", token=ADMIN).status == 200
