"""Nothing a client can send is a fault of ours: generated bodies, queries, paths and headers never make a 500."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nova_lite.api.openstack.compute.schemas import flavors as flavor_schemas
from nova_lite.api.openstack.compute.schemas import keypairs as keypair_schemas
from nova_lite.api.openstack.compute.schemas import servers as server_schemas
from nova_lite.api.openstack.routes import ROUTES
from tests.harness.compute_api import ComputeApi, FakeCompute

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

TEXT = st.text(max_size=20) | st.sampled_from(
    ["", "0", "-1", "9" * 400, "None", "true", "2026-11-20T00:00:00Z", "(a+)+$"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))
VERSIONS = st.sampled_from(["2.1", "2.19", "2.37", "2.53", "2.75", "2.90", "2.96", "2.104"])


def objects_like(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Objects with the schema's own keys, some of them with values of the wrong kind."""
    known = schema.get("properties", {})
    values = {key: _like(each) | JSON for key, each in known.items()}
    return st.fixed_dictionaries({}, optional=values)


def _like(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "properties" in schema:
        return objects_like(schema)
    if "items" in schema:
        return st.lists(_like(schema["items"]), max_size=2)
    if "oneOf" in schema:
        return st.one_of([_like(each) for each in schema["oneOf"]])
    kinds = schema.get("type", "string")
    if schema.get("format") == "uuid":
        return st.uuids().map(str)
    if "integer" in kinds:
        return st.integers(min_value=0, max_value=3)
    return TEXT


BODIES = [
    ("POST", "/servers", server_schemas.CREATE.values[-1]),
    ("POST", "/servers", server_schemas.CREATE.values[0]),
    ("POST", "/flavors", flavor_schemas.CREATE.values[-1]),
    ("POST", "/os-keypairs", keypair_schemas.CREATE.values[-2]),
]


@pytest.mark.parametrize(("method", "path", "schema"), BODIES)
@given(data=st.data(), version=VERSIONS)
@QUICK
def test_bodies(api: ComputeApi, method: str, path: str, schema: dict[str, Any], data: Any, version: str) -> None:
    body = data.draw(objects_like(schema) | JSON)
    answer = api(method, path, json.dumps(body).encode(), version, admin=True)
    assert answer.status < 500, (body, answer.data)


@given(raw=st.binary(max_size=200))
@QUICK
def test_bytes(api: ComputeApi, raw: bytes) -> None:
    for path in ("/servers", "/os-keypairs"):
        assert api("POST", path, raw).status < 500


LISTS = [
    "/servers",
    "/servers/detail",
    "/flavors",
    "/flavors/detail",
    "/os-keypairs",
    "/os-hypervisors",
    "/os-services",
]
KEYS = sorted({*server_schemas.LIST_QUERY.values[-1]["properties"], "is_public", "minRam", "minDisk", "with_servers"})


@pytest.mark.parametrize("path", LISTS)
@given(query=st.lists(st.tuples(st.sampled_from(KEYS) | TEXT, TEXT), max_size=4), version=VERSIONS)
@QUICK
def test_queries(api: ComputeApi, path: str, query: list[tuple[str, str]], version: str) -> None:
    text = urllib.parse.urlencode([(key, value.encode("utf-8", "replace")) for key, value in query])
    answer = api("GET", f"{path}?{text}", version=version, admin=True)
    assert answer.status < 500, (text, answer.data)


@given(raw=st.text(alphabet=[chr(code) for code in range(1, 256)], max_size=30), header=TEXT)
@QUICK
def test_paths_and_version_headers(api: ComputeApi, raw: str, header: str) -> None:
    name = header.encode("latin-1", "replace").decode("latin-1")
    for path in (f"/v2.1/{raw}", f"/v2.1/servers/{raw}", f"/v2.1/flavors/{raw}", f"/v2.1/os-keypairs/{raw}"):
        assert api("GET", path, headers={"X-OpenStack-Nova-API-Version": name}).status < 500


def test_every_read_of_the_table_with_ids_of_nothing(api: ComputeApi, compute: FakeCompute) -> None:
    for route in ROUTES:
        if route.method == "GET" and route.path not in ("", "/"):
            path = route.path
            for name in ("server_id", "flavor_id", "image_id", "domain_id", "id"):
                path = path.replace(f"{{{name}}}", "'; drop--")
            for version in ("2.1", "2.96"):
                answer = api("GET", path, version=version, admin=True)
                assert answer.status < 500 or answer.status == 501, (path, answer.data)
