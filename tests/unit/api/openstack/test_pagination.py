"""Limits and orders that lists share."""

from __future__ import annotations

import pytest

from nova_lite import exception
from nova_lite.api.openstack import pagination
from nova_lite.api.openstack.microversions import MAX
from nova_lite.api.openstack.request import Request
from nova_lite.context import RequestContext
from tests.harness.compute_api import environ_of


def request(**query: list[str]) -> Request:
    req = Request(environ_of("GET", "/"), RequestContext(), MAX)
    req.query = query
    return req


@pytest.mark.parametrize(
    ("given", "limit"), [(None, 1000), ("", 1000), ("5", 5), ("1000", 1000), ("1001", 1000), ("0", 0), ("9" * 30, 1000)]
)
def test_limits(given: str | None, limit: int) -> None:
    assert pagination.limit_of(request() if given is None else request(limit=[given])) == limit


@pytest.mark.parametrize("given", ["x", "-1", "1.5", "9" * 5000])
def test_what_is_no_limit(given: str) -> None:
    with pytest.raises(exception.Invalid):
        pagination.limit_of(request(limit=[given]))


def test_orders() -> None:
    assert pagination.sort_of(request(), "id", "asc") == (("id", "asc"),)
    found = pagination.sort_of(request(sort_key=["a", "b"], sort_dir=["desc"]), "id", "asc")
    assert found == (("a", "desc"), ("b", "desc"))
    with pytest.raises(exception.Invalid):
        pagination.sort_of(request(sort_key=["a"], sort_dir=["asc", "asc"]), "id", "asc")


def test_a_page_that_is_not_full_is_the_last() -> None:
    answer = pagination.page(request(), "things", "things", ["view"], ["a"], 2, str)
    assert answer == {"things": ["view"]}
    answer = pagination.page(request(), "things", "things", ["view"], ["a"], 1, str, "links")
    assert answer["links"][0]["rel"] == "next"
    assert pagination.page(request(), "things", "things", [], [], 0, str) == {"things": []}
