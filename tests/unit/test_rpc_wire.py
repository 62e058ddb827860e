"""What goes over the wire comes back as it was, and nobody's data is taken for more than data."""

from __future__ import annotations

import datetime
import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_lite import exception, objects, rpc_wire

TAGS = ["nova_lite", "nova_lite.tuple", "nova_lite.error", "nova_lite.dict", "nova_lite.datetime", "data", "version"]

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
times = st.datetimes()
keys = st.text(max_size=5) | st.sampled_from(TAGS)
values = st.recursive(
    scalars | times | st.binary(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(keys, inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.frozensets(st.integers(), max_size=3)
    ),
    max_leaves=12,
)


def cross(value: Any) -> Any:
    return rpc_wire.decode(json.loads(json.dumps(rpc_wire.encode(value))))


@given(values)
def test_everything_comes_back_as_it_was(value: Any) -> None:
    assert cross(value) == value


def test_objects_cross() -> None:
    now = datetime.datetime(2026, 11, 20, 12, 0, 1, 5)
    service = objects.Service(uuid="u", host="h", binary="b", topic="compute", created_at=now)
    assert cross({"services": [service, service]}) == {"services": [service, service]}


def test_enums_and_uuids_become_their_text() -> None:
    some = uuid.uuid4()
    assert cross([some, objects.OperationState.PENDING]) == [str(some), objects.OperationState.PENDING.value]


def test_metadata_that_looks_like_an_object_stays_data() -> None:
    evil = {"nova_lite": "Instance", "version": "1.0", "data": {}}
    assert cross({"metadata": evil}) == {"metadata": evil}


def test_what_has_no_form_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        rpc_wire.encode({"x": object()})


def test_errors_cross_with_class_text_and_facts() -> None:
    error = exception.NoValidHost(reason="no host", diagnosis=("a", 1))
    back = cross(error)
    assert type(back) is exception.NoValidHost
    assert back.message == error.message
    assert back.facts == error.facts


def test_a_fact_that_cannot_travel_does_not_hide_the_error() -> None:
    back = cross(exception.BuildFailed(instance_uuid="u", reason=object()))
    assert type(back) is exception.BuildFailed
    assert "object" in back.facts["reason"]


def test_foreign_errors_become_internal_errors_with_the_text_for_the_log() -> None:
    back = cross(rpc_wire.travelling(ValueError("boom")))
    assert type(back) is exception.NovaLiteError
    assert back.message == "ValueError: boom"


def test_only_errors_of_our_tree_are_built() -> None:
    back = rpc_wire.decode({rpc_wire.ERROR: {"class": "Any", "message": "m", "facts": {}}})
    assert type(back) is exception.NovaLiteError
    newer = rpc_wire.decode({rpc_wire.ERROR: {"class": "FromTheFuture", "message": "m"}})
    assert (type(newer), newer.message) == (exception.NovaLiteError, "m")


def test_an_object_holding_such_metadata_crosses_too() -> None:
    evil = {"nova_lite": "Instance", "version": "1.0", "data": "x"}
    service = objects.ComputeNode(
        uuid="u",
        host="h",
        hypervisor_hostname="h",
        hypervisor_type="fake",
        hypervisor_version=1,
        vcpus=1,
        memory_mb=1,
        local_gb=1,
        stats=evil,
    )
    assert cross(service) == service
