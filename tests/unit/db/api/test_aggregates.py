"""Groups of hosts: zones come from their metadata, and no change takes a host or its servers into two."""

from __future__ import annotations

import pytest

from nova_lite import exception
from nova_lite.db.api import aggregates, instances
from tests.harness.database import make_instance

pytestmark = pytest.mark.usefixtures("database")

ZONE = "availability_zone"
HAS_SERVERS = "One or more hosts contain instances in this zone"


def test_zones_of_hosts() -> None:
    east = aggregates.create("east", {ZONE: "az-east"})
    ssd = aggregates.create("ssd", {"ssd": "true"})
    late = aggregates.create("late", {ZONE: "az-late"})
    for aggregate, host in ((east, "a"), (ssd, "a"), (ssd, "b"), (late, "c")):
        aggregates.add_host(aggregate, host)
    assert aggregates.availability_zone_of_hosts() == {"a": "az-east", "c": "az-late"}
    assert [each.hosts for each in aggregates.list()] == [("a",), ("a", "b"), ("c",)]
    aggregates.remove_host(east, "a")
    aggregates.add_host(late, "a")
    assert aggregates.availability_zone_of_hosts() == {"a": "az-late", "c": "az-late"}
    aggregates.forget_host("a")
    assert aggregates.get(ssd).hosts == ("b",)
    aggregates.remove_host(late, "c")
    aggregates.destroy(late)
    assert aggregates.availability_zone_of_hosts() == {}


def test_what_is_not_there_or_twice() -> None:
    east = aggregates.create("east", {})
    with pytest.raises(exception.AggregateNameExists, match="Aggregate east already exists."):
        aggregates.create("east", {})
    other = aggregates.create("other", {})
    with pytest.raises(exception.AggregateNameExists):
        aggregates.change(other, "east", {})
    aggregates.add_host(east, "a")
    with pytest.raises(exception.AggregateHostExists, match=f"Aggregate {east} already has host a."):
        aggregates.add_host(east, "a")
    with pytest.raises(exception.AggregateHostNotFound, match=f"Aggregate {east} has no host b."):
        aggregates.remove_host(east, "b")
    with pytest.raises(exception.Invalid, match="Reason: Host aggregate is not empty."):
        aggregates.destroy(east)
    for call in (aggregates.get, aggregates.destroy, lambda number: aggregates.add_host(number, "h")):
        with pytest.raises(exception.AggregateNotFound, match="Aggregate 999 could not be found."):
            call(999)


def test_metadata_is_merged_and_null_drops_a_key() -> None:
    number = aggregates.create("racks", {ZONE: "east", "ssd": "true"})
    changed = aggregates.change(number, None, {"ssd": None, "gpu": "no"})
    assert changed.metadata == {ZONE: "east", "gpu": "no"} and changed.updated_at is not None
    assert aggregates.change(number, "rows", {}).name == "rows"


def test_a_host_is_in_one_zone_at_the_most() -> None:
    east, west = aggregates.create("e", {ZONE: "east"}), aggregates.create("w", {ZONE: "west"})
    plain, same = aggregates.create("p", {}), aggregates.create("s", {ZONE: "east"})
    aggregates.add_host(east, "a")
    with pytest.raises(exception.Conflict, match=r"Cannot add host to aggregate .* already in availability zone\(s\)"):
        aggregates.add_host(west, "a")
    aggregates.add_host(same, "a")
    aggregates.add_host(plain, "a")
    for number, name in ((plain, None), (east, "e")):
        with pytest.raises(exception.Invalid, match=r"One or more hosts already in availability zone\(s\) \['east'\]"):
            aggregates.change(number, name, {ZONE: "west"})
    with pytest.raises(exception.Invalid, match="does not support empty named availability zone"):
        aggregates.change(east, None, {ZONE: None})


def test_servers_do_not_change_their_zone_unasked() -> None:
    east, west = aggregates.create("e", {ZONE: "east"}), aggregates.create("w", {ZONE: "west"})
    aggregates.add_host(east, "a")
    instances.insert(make_instance("on a", host="a", pinned_availability_zone="east"))
    instances.insert(make_instance("on b", host="b", pinned_availability_zone="nova"))
    instances.insert(make_instance("on c", host="c"))
    with pytest.raises(exception.Invalid, match=f"Cannot update metadata of aggregate {east}. Reason: {HAS_SERVERS}"):
        aggregates.change(east, None, {ZONE: "north"})
    with pytest.raises(exception.Invalid, match=f"Cannot update aggregate {east}. Reason: {HAS_SERVERS}"):
        aggregates.change(east, "e", {ZONE: "north"})
    assert aggregates.change(east, None, {ZONE: "east"}).availability_zone == "east"
    with pytest.raises(exception.Conflict, match=HAS_SERVERS):
        aggregates.remove_host(east, "a")
    with pytest.raises(exception.Conflict, match=HAS_SERVERS):
        aggregates.add_host(west, "b")
    assert aggregates.add_host(west, "c").hosts == ("c",), "its server asked for no zone"
    assert aggregates.remove_host(west, "c").hosts == ()
