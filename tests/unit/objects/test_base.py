"""Travelling: there and back, across versions."""

from __future__ import annotations

import datetime
import json

import pytest

from nova_lite import objects
from nova_lite.objects.base import from_any_primitive, registry

FLAVOR = objects.Flavor("1", "m1.tiny", 1, 512, 1, extra_specs={"hw:x": "y"})
SERVER = objects.Instance(
    "u", "p", "user", "name", "active", FLAVOR,
    image=objects.ImageMeta("i", properties={"os": "x"}),
    network_info=(objects.Vif("v", "fa:16:3e:00:00:01", "n", "net", fixed_ips=(objects.FixedIP("10.0.0.1"),)),),
    tags=("a", "b"), created_at=datetime.datetime(2026, 11, 20, 1, 2, 3, 456789), metadata={"k": "v"},
    fault=objects.Fault(500, "broken"),
)  # fmt: skip


def test_a_nested_object_survives_json() -> None:
    wire = json.loads(json.dumps(SERVER.to_primitive()))
    assert objects.Instance.from_primitive(wire) == SERVER
    assert from_any_primitive(wire) == SERVER


def test_enums_and_tuples_keep_their_types() -> None:
    operation = objects.Operation(
        1, "req", "u", "create", "p", "user", objects.OperationState.RUNNING, "conductor", steps=("network",)
    )
    again = objects.Operation.from_primitive(json.loads(json.dumps(operation.to_primitive())))
    assert again == operation and again.state is objects.OperationState.RUNNING


def test_a_newer_neighbour_is_understood() -> None:
    wire = FLAVOR.to_primitive()
    wire["version"] = "1.9"
    wire["data"]["colour"] = "blue"
    del wire["data"]["description"]
    assert objects.Flavor.from_primitive(wire) == FLAVOR


def test_another_major_version_or_class_is_refused() -> None:
    wire = FLAVOR.to_primitive()
    with pytest.raises(ValueError, match="is not understood"):
        objects.Flavor.from_primitive({**wire, "version": "2.0"})
    with pytest.raises(ValueError, match="is not understood"):
        objects.KeyPair.from_primitive(wire)


def test_all_public_objects_are_registered_or_plain() -> None:
    assert {"Instance", "Operation", "RequestSpec", "Placement"} <= set(registry())
