"""A live migration's view at every microversion, judged by the contract's fields and its samples."""

from __future__ import annotations

import pytest

from nova_lite.api.openstack.compute.views import server_migrations as views
from nova_lite.api.openstack.microversions import VERSIONS, at
from nova_lite.objects import Migration
from tests.harness.builders import NOW, uuid_of
from tests.harness.contract import fields, material, shape

NUMBERS = {
    "memory_total_bytes": 123456, "memory_processed_bytes": 12345, "memory_remaining_bytes": 111111,
    "disk_total_bytes": 234567, "disk_processed_bytes": 23456, "disk_remaining_bytes": 211111,
}  # fmt: skip
MOVE = Migration(
    uuid=uuid_of("move"), instance_uuid=uuid_of("server"), migration_type="live-migration", status="running", id=1,
    user_id="8dbaa0f0-ab95-4ffe-8cb4-9c89d2ac9d24", project_id="5f705771-3aa9-4f4c-8660-0d9522ffdbea",
    source_compute="compute1", source_node="node1", dest_compute="compute2", dest_node="node2", dest_host="1.2.3.4",
    progress=NUMBERS, created_at=NOW, updated_at=NOW,
)  # fmt: skip


def test_every_version_has_its_fields() -> None:
    try:
        material.location()
    except material.ContractMissing as error:
        pytest.skip(str(error))
    operation = "GET /servers/{server_id}/migrations/{id}"
    for version in VERSIONS:
        number = at(version.number)
        if number >= (2, 23):
            view = {"migration": views.item(MOVE, number, hosts=True)}
            assert fields.check(operation, tuple(number), view) == [], version.number
    for folder in ("2.23", "2.59", "2.80"):
        view = {"migration": views.item(MOVE, at(folder), hosts=True)}
        assert shape.compare(material.sample(f"server-migrations/v{folder}/migrations-get.json"), view) == []


def test_hosts_are_for_those_who_may_see_them() -> None:
    view = views.item(MOVE, at("2.80"), hosts=False)
    assert [view[name] for name in ("source_compute", "source_node", "dest_compute", "dest_node", "dest_host")] == (
        [None] * 5
    )
    assert view["memory_total_bytes"] == 123456


def test_before_the_source_said_anything_the_numbers_are_null() -> None:
    view = views.item(MOVE.replace(progress={}), at("2.23"), hosts=True)
    assert {view[name] for name in NUMBERS} == {None}
