"""Which servers were soft-deleted long enough ago, and what they count for."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest

from nova_lite.clock import utcnow
from nova_lite.db.api import instances, operations, quotas, soft_deletes, user_quotas
from nova_lite.objects import OperationState, ServerSearch
from tests.harness.database import fresh_database, make_instance


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    with fresh_database():
        yield


def _server(name: str, **values: object) -> str:
    return instances.insert(make_instance(name, **{"vm_state": "soft-delete", **values})).uuid


def _deleted(uuid: str, state: OperationState = OperationState.DONE) -> None:
    operations.insert_pending(
        request_id="req", instance_uuid=uuid, action="softDelete", project_id="p", user_id="u", topic="compute",
        host="h", args={}, timeout_s=None, state=state,
    )  # fmt: skip


def _due(seconds: float) -> list[str]:
    return [each.uuid for each in soft_deletes.before(utcnow() + datetime.timedelta(seconds=seconds))]


def test_the_last_soft_delete_counts() -> None:
    server = _server("one")
    assert _due(60) == []
    _deleted(server)
    assert (_due(60), _due(-60)) == ([server], [])


@pytest.mark.parametrize(
    "values", [{"task_state": "restoring"}, {"vm_state": "active"}, {"task_state": "deleting"}]
)
def test_only_what_rests_deleted_is_due(values: dict[str, str]) -> None:
    _deleted(_server("one", **values))
    assert _due(60) == []


def test_what_failed_or_is_gone_is_not_due() -> None:
    failed, gone = _server("failed"), _server("gone")
    _deleted(failed, OperationState.FAILED)
    _deleted(gone)
    assert instances.tombstone(gone)
    assert _due(60) == []


def test_not_more_than_asked() -> None:
    for number in range(3):
        _deleted(_server(f"vm{number}"))
    assert len(soft_deletes.before(utcnow() + datetime.timedelta(seconds=60), limit=2)) == 2


def test_a_soft_deleted_server_counts_while_it_is_restored_only() -> None:
    _server("resting")
    _server("restoring", task_state="restoring")
    _server("active", vm_state="active")
    assert user_quotas.usage("project", "user")["instances"] == 2
    recorded = {(each.resource, each.actual) for each in quotas.audit()}
    assert ("instances", 2) in recorded


def test_lists_hide_or_show_them() -> None:
    resting, live, gone = _server("resting"), _server("live", vm_state="active"), _server("gone")
    assert instances.tombstone(gone)

    def found(deleted: bool | None, soft_deleted: bool | None) -> set[str]:
        for filters in ({}, {"user_id": "user"}):
            search = ServerSearch("project", deleted=deleted, soft_deleted=soft_deleted, filters=filters)
            names = {each.uuid for each in instances.names(search)}
        return names

    assert found(False, None) == found(False, True) == {resting, live}
    assert found(False, False) == {live}
    assert found(True, True) == {resting, gone}
    assert found(True, False) == found(True, None) == {gone}
    assert found(None, False) == {resting, live, gone}
