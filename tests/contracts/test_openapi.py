"""The OpenAPI document of every microversion: valid, told to everyone, and its errors those of the contract."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from oslo_config import cfg

from nova_lite import conf as nova_conf
from nova_lite.api import deploy
from nova_lite.api.openstack import openapi
from nova_lite.api.openstack.compute import application
from nova_lite.api.openstack.microversions import VERSIONS, Microversion, at
from nova_lite.api.openstack.openapi_app import OpenApi
from nova_lite.api.openstack.routes import ROUTES, Route
from tests.harness.compute_api import FakeCompute, ask, environ_of
from tests.harness.contract import material

try:
    material.operations()
except material.ContractMissing as error:
    pytest.skip(str(error), allow_module_level=True)

from tests.harness.contract import route_calls  # noqa: E402
from tests.harness.contract.route_calls import KEPT  # noqa: E402

# Of the edge, not of a call: the contract's entries do not name them; and its 500 is a fault of Nova's own.
OF_THE_EDGE = {400, 406, 413, 415, 503}
# Where we say more than the contract, and why.
MORE = {
    "GET /flavors": {403},  # a site's policy file may close what everybody may
}


@pytest.fixture(scope="module")
def known() -> dict[str, Callable[..., Any]]:
    nova_conf.register_all(nova_conf.CONF)
    return application.handlers(nova_conf.CONF, FakeCompute())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def app(known: dict[str, Callable[..., Any]]) -> OpenApi:
    return OpenApi(known)


def get(app: Any, path: str = "/openapi.json", **headers: str) -> Any:
    return ask(app, environ_of("GET", path, headers={name.replace("_", "-"): text for name, text in headers.items()}))


def _problems(document: dict[str, Any]) -> list[str]:
    return [f"{list(each.path)}: {each.message}" for each in OpenAPIV31SpecValidator(document).iter_errors()]


def test_it_is_valid_at_every_version(app: OpenApi) -> None:
    """The first and the last as a whole; between them what a version has that none before it had, and its ids."""
    seen: set[str] = set()
    for each in VERSIONS:
        answer = get(app, f"/openapi.json?version={each.number}")
        assert answer.status == 200 and answer.headers["OpenStack-API-Version"] == f"compute {each.number}"
        document = answer.json
        assert document["info"]["version"] == each.number
        operations = [item[method] for item in document["paths"].values() for method in item if method != "parameters"]
        ids = [operation["operationId"] for operation in operations]
        assert len(ids) == len(set(ids)) > 30
        fresh = {path: item for path, item in document["paths"].items() if json.dumps(item) not in seen}
        seen |= {json.dumps(item) for item in fresh.values()}
        whole = each in (VERSIONS[0], VERSIONS[-1])
        assert _problems(document if whole else {**document, "paths": fresh}) == [], each.number


def test_it_has_every_call_of_the_version(known: dict[str, Callable[..., Any]]) -> None:
    for version in (at("2.1"), at("2.35"), at("2.96"), at("2.104")):
        document = openapi.document(version, ROUTES, known, {})
        listed = {(method.upper(), path) for path, item in document["paths"].items() for method in item} - {
            ("PARAMETERS", path) for path in document["paths"]
        }
        expected = {
            (route.method, route.path) for route in ROUTES
            if route.path and route.valid_at(version) and not route.handler.startswith("retired:")
        }  # fmt: skip
        assert listed == expected


@pytest.mark.parametrize("route", KEPT, ids=route_calls.label)
def test_errors_are_the_contracts(route: Route) -> None:
    entry = route_calls.entry(route)
    said = openapi.errors_of(route) - OF_THE_EDGE - MORE.get(entry["id"], set())
    assert said == set(entry["errors"]) - {400, 500}


@pytest.mark.parametrize("version", [at("2.1"), at("2.45"), at("2.104")])
def test_success_codes_are_the_contracts(known: dict[str, Callable[..., Any]], version: Microversion) -> None:
    document = openapi.document(version, ROUTES, known, {})
    expected: dict[tuple[str, str], set[str]] = {}
    for route in KEPT:
        if route.valid_at(version):
            codes = {
                str(each["code"]) for each in route_calls.entry(route)["success"]
                if at(each.get("from", "2.1")) <= version <= at(str(each.get("to", "2.999")))
            }  # fmt: skip
            expected.setdefault((route.method.lower(), route.path), set()).update(codes)
    for (method, path), codes in expected.items():
        said = document["paths"][path][method]["responses"]
        assert {code for code in said if code < "400"} == codes, (method, path)


def test_the_version_is_asked_for_as_in_the_api(app: OpenApi) -> None:
    newest = VERSIONS[-1].number

    def version(answer: Any) -> str:
        return str(answer.json["info"]["version"])

    assert version(get(app)) == newest
    assert version(get(app, OpenStack_API_Version="compute 2.7")) == "2.7"
    assert version(get(app, X_OpenStack_Nova_API_Version="2.8")) == "2.8"
    assert version(get(app, "/openapi.json?version=latest")) == newest
    assert get(app, "/openapi.json?version=2.999").status == 406
    assert get(app, "/openapi.json?version=new").status == 400


def test_it_needs_no_token() -> None:
    """Through the Paste file with the keystone pipeline, at both paths; what is beside it keeps its answers."""
    settings = cfg.ConfigOpts()
    nova_conf.register_all(settings)
    settings([], project="nova-lite", default_config_files=[], default_config_dirs=[])
    settings.set_override("auth_url", "http://identity.example/v3", "service_auth")
    app = deploy.load_app("osapi_compute", conf=settings)
    for path in ("/openapi.json", "/v2.1/openapi.json"):
        answer = get(app, path)
        assert answer.status == 200 and answer.json["openapi"] == "3.1.0"
        assert answer.headers["x-openstack-request-id"].startswith("req-")
    assert get(app, "/v2.1/servers").status == 401
    assert get(app, "/openapi.yaml").status == 300
