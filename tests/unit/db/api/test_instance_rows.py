"""The table and the object say the same things."""

from __future__ import annotations

import dataclasses

import pytest

from nova_lite.compute.vm_states import VmState
from nova_lite.db.api.instance_rows import TABLE, primitive, to_columns
from nova_lite.objects import Fault, FixedIP, Instance, Vif
from tests.harness.database import make_instance

# columns that repeat others, for filters and sums
COPIES = {"id", "flavor_id", "memory_mb", "vcpus", "disk_gb", "addresses_v4", "addresses_v6"}


def test_every_field_is_a_column_and_every_column_a_field() -> None:
    fields = {field.name for field in dataclasses.fields(Instance)}
    assert {column.name for column in TABLE.c} == fields | COPIES


def test_copies_follow_their_originals() -> None:
    columns = to_columns({"flavor": make_instance().flavor, "network_info": make_instance().network_info})
    assert {name: columns[name] for name in COPIES - {"id"}} == {
        "flavor_id": "m1.small", "memory_mb": 512, "vcpus": 1, "disk_gb": 1,
        "addresses_v4": "10.0.0.5", "addresses_v6": "fd00::5",
    }  # fmt: skip
    assert to_columns({"network_info": ()})["addresses_v4"] is None
    two = Vif("p", "m", "n", "l", fixed_ips=(FixedIP("10.0.0.1"), FixedIP("10.0.0.2")))
    assert to_columns({"network_info": (two,)})["addresses_v4"] == "10.0.0.1\n10.0.0.2"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (VmState.ACTIVE, "active"),
        (("a", VmState.ERROR), ["a", "error"]),
        ({"k": (1, 2)}, {"k": [1, 2]}),
        (None, None),
        (Fault(500, "m").code, 500),
    ],
)
def test_primitive(value: object, expected: object) -> None:
    assert primitive(value) == expected
