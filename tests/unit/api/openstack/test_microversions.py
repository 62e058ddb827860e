"""Comparing, parsing and choosing by microversion."""

from __future__ import annotations

import pytest

from nova_lite import exception
from nova_lite.api.openstack.microversions import MAX, Versioned, at, parse


def test_versions_compare_as_numbers() -> None:
    assert at("2.100") > at("2.99") > at("2.9")
    assert str(at("2.100")) == "2.100"
    assert parse("latest") == MAX


@pytest.mark.parametrize("text", ["", "2", "2.01", "2.x", "-2.1", "2." + "9" * 5000, "9" * 5000 + ".1"])
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(exception.InvalidVersionFormat):
        parse(text)


def test_versioned_values() -> None:
    value = Versioned(v2_10="b", v2_1="a", v2_2="early")
    assert [value.at(at(number)) for number in ("2.1", "2.2", "2.9", "2.10", "2.96")] == [
        "a",
        "early",
        "early",
        "b",
        "b",
    ]
    assert Versioned(v2_5="x").at(at("2.4")) is None
