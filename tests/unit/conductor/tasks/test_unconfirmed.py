"""Resizes that nobody confirmed in time: by the database's clock, not a conductor's."""

from __future__ import annotations

from unittest import mock

import pytest

from nova_lite.clock import utcnow
from nova_lite.compute import moves
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.conductor.tasks import unconfirmed
from nova_lite.db.api import instances, migrations
from nova_lite.objects import Migration, MigrationStatus, MigrationType
from tests.harness import clocks
from tests.harness.builders import uuid_of
from tests.harness.database import make_instance

pytestmark = pytest.mark.usefixtures("database")


def _resized() -> None:
    server = instances.insert(make_instance(vm_state="resized", host="b", node="b", launched_at=utcnow()))
    move = migrations.create(
        Migration(
            uuid=uuid_of("move"), instance_uuid=server.uuid, migration_type=MigrationType.RESIZE,
            status=MigrationStatus.POST_MIGRATING, source_compute="a", dest_compute="b", old_flavor=server.flavor,
            new_flavor=server.flavor,
        )
    )  # fmt: skip
    assert migrations.update_if(move.uuid, {"status": MigrationStatus.FINISHED})


def _confirmed(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(moves, "confirm", lambda ctxt, server: (7, "a"))
    return unconfirmed.confirm(mock.create_autospec(ComputeRpcAPI, instance=True), 3600)


def test_a_conductor_whose_clock_is_ahead_confirms_nothing_early(monkeypatch: pytest.MonkeyPatch) -> None:
    _resized()
    with clocks.ahead(hours=2):
        assert _confirmed(monkeypatch) == 0
    with clocks.later(hours=2):
        assert _confirmed(monkeypatch) == 1


def test_what_was_written_by_a_clock_that_is_behind_waits_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    with clocks.ahead(hours=-2):
        _resized()
    assert _confirmed(monkeypatch) == 0
