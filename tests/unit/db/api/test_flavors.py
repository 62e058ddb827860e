"""Flavors: found by public id, private ones only by those who may."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite import exception
from nova_lite.db.api import flavors
from nova_lite.objects import Flavor

pytestmark = pytest.mark.usefixtures("database")


def _create(flavorid: str, projects: tuple[str, ...] = (), **values: Any) -> Flavor:
    sizes = {"name": f"name {flavorid}", "vcpus": 1, "memory_mb": 512, "root_gb": 1}
    return flavors.create(Flavor(flavorid=flavorid, **{**sizes, **values}), projects)


def _ids(**search: Any) -> list[str]:
    return [each.flavorid for each in flavors.list(**search)]


def test_what_is_created_is_read_again() -> None:
    written = _create("f", extra_specs={"a": "b"}, description="d", rxtx_factor=1.5, swap_mb=7, ephemeral_gb=2)
    assert flavors.get_by_flavorid("f") == written
    assert written.id is not None and written.created_at is not None


def test_ids_and_names_are_unique() -> None:
    _create("f", name="n")
    with pytest.raises(exception.FlavorIdExists, match="Flavor with ID f already exists."):
        _create("f", name="n")
    with pytest.raises(exception.FlavorExists, match="Flavor with name n already exists."):
        _create("g", name="n")


@pytest.mark.parametrize("flavorid", ["zzz", "nul\x00"])
def test_not_found(flavorid: str) -> None:
    with pytest.raises(exception.FlavorNotFound):
        flavors.get_by_flavorid(flavorid, is_admin=True)
    with pytest.raises(exception.FlavorNotFound):
        flavors.update_description(flavorid.rstrip("\x00"), "x")


def test_private_flavors_are_seen_by_those_who_may() -> None:
    _create("public")
    _create("private", ("p1",), is_public=False)
    assert flavors.get_by_flavorid("private", "p1").flavorid == "private"
    assert flavors.get_by_flavorid("private", is_admin=True).flavorid == "private"
    for project in ("p2", None):
        with pytest.raises(exception.FlavorNotFound):
            flavors.get_by_flavorid("private", project)
    assert _ids(project_id="p1") == _ids(is_public=True, project_id="p1") == ["private", "public"]
    assert _ids(project_id="p2") == _ids(is_public=True) == ["public"]
    assert _ids(is_public=False) == _ids(is_public=False, project_id="p1") == ["private"]
    assert _ids(is_public=False, project_id="p2") == []
    assert _ids() == ["private", "public"]


def test_filters() -> None:
    _create("a", memory_mb=512, root_gb=1)
    _create("b", memory_mb=1024, root_gb=20, disabled=True)
    assert _ids(min_ram_mb=513) == _ids(min_disk_gb=2) == _ids(disabled=True) == ["b"]
    assert _ids(disabled=False) == ["a"]


@pytest.mark.parametrize(
    ("key", "direction"), [("flavorid", "asc"), ("vcpus", "desc"), ("ram", "asc"), ("swap", "desc")]
)
def test_pages_join_into_the_whole(key: str, direction: str) -> None:
    for number in range(5):
        _create(str(number), vcpus=number % 2 + 1, memory_mb=512 * (number % 3 + 1))
    whole = _ids(sort_key=key, sort_dir=direction)
    pages: list[str] = []
    while page := _ids(sort_key=key, sort_dir=direction, limit=2, marker=pages[-1] if pages else None):
        pages += page
    assert pages == whole and len(whole) == 5
    assert _ids(limit=0) == []


def test_marker_and_sort_key_are_checked() -> None:
    _create("private", is_public=False)
    with pytest.raises(exception.MarkerNotFound):
        _ids(marker="private", project_id="p")
    with pytest.raises(exception.MarkerNotFound):
        _ids(marker="\x00")
    for search in ({"sort_key": "__class__"}, {"sort_key": "extra_specs"}, {"sort_dir": "up"}):
        with pytest.raises(exception.Invalid):
            _ids(**search)


def test_description_and_destroy() -> None:
    _create("f", ("p",), is_public=False)
    assert flavors.update_description("f", "new").description == "new"
    assert flavors.get_by_flavorid("f", "p").updated_at is not None
    flavors.destroy("f")
    with pytest.raises(exception.FlavorNotFound):
        flavors.destroy("f")
    assert _create("f").flavorid == "f"


def test_access() -> None:
    _create("f", is_public=False)
    flavors.add_access("f", "p2")
    flavors.add_access("f", "p1")
    assert flavors.access("f") == ("p1", "p2")
    with pytest.raises(exception.Conflict, match="already exists for flavor f and project p1 combination"):
        flavors.add_access("f", "p1")
    flavors.remove_access("f", "p1")
    with pytest.raises(exception.NotFound, match="not found for f / p1 combination"):
        flavors.remove_access("f", "p1")
    with pytest.raises(exception.FlavorNotFound):
        flavors.add_access("zzz", "p")


def test_extra_specs() -> None:
    _create("f", extra_specs={"a": "1"})
    assert flavors.set_extra_specs("f", {"b": "2", "a": "3"}) == {"a": "3", "b": "2"}
    flavors.delete_extra_spec("f", "a")
    assert flavors.get_by_flavorid("f").extra_specs == {"b": "2"}
    with pytest.raises(exception.NotFound, match="Flavor f has no extra specs with key a."):
        flavors.delete_extra_spec("f", "a")
    with pytest.raises(exception.FlavorNotFound):
        flavors.set_extra_specs("zzz", {})


def test_defaults_are_seeded_into_an_empty_table_only() -> None:
    assert flavors.seed_defaults() == 6
    assert _ids() == ["1", "2", "3", "4", "42", "5"]
    nano = flavors.get_by_flavorid("42")
    assert (nano.name, nano.vcpus, nano.memory_mb, nano.root_gb) == ("m1.nano", 1, 128, 1)
    flavors.destroy("1")
    assert flavors.seed_defaults() == 0
