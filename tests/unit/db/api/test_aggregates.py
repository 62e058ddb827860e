"""Zones come from aggregates' metadata."""

from __future__ import annotations

import pytest

from nova_lite import exception
from nova_lite.db.api import aggregates

pytestmark = pytest.mark.usefixtures("database")


def test_zones_of_hosts() -> None:
    east = aggregates.create("east", {"availability_zone": "az-east"})
    ssd = aggregates.create("ssd", {"ssd": "true"})
    late = aggregates.create("late", {"availability_zone": "az-late"})
    for aggregate, host in ((east, "a"), (east, "a"), (ssd, "a"), (ssd, "b"), (late, "a"), (late, "c")):
        aggregates.add_host(aggregate, host)
    assert aggregates.availability_zone_of_hosts() == {"a": "az-east", "c": "az-late"}
    aggregates.remove_host(east, "a")
    aggregates.remove_host(east, "never in")
    assert aggregates.availability_zone_of_hosts() == {"a": "az-late", "c": "az-late"}
    aggregates.destroy(late)
    assert aggregates.availability_zone_of_hosts() == {}


def test_refusals() -> None:
    aggregates.create("east", {})
    with pytest.raises(exception.Conflict):
        aggregates.create("east", {})
    for call in (aggregates.destroy, lambda number: aggregates.add_host(number, "h")):
        with pytest.raises(exception.NotFound):
            call(999)
