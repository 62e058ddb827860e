"""The end of a delete gives everything back, once: claims on both sides, quota, tokens, the shelved image."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import conf as nova_conf
from nova_lite import quota
from nova_lite.clock import utcnow
from nova_lite.conductor import journal, moves
from nova_lite.db.api import (
    allocations,
    compute_nodes,
    console_tokens,
    instances,
    migrations,
    operations,
    provisional_images,
    quotas,
)
from nova_lite.objects import ConsoleAddress, ConsoleToken, Instance, MigrationType, Operation
from nova_lite.objects.flavor import quota_counts
from tests.harness.builders import make_node
from tests.harness.database import fresh_database, make_instance


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    nova_conf.register_all()
    nova_conf.CONF([], project="nova-lite", default_config_files=[], default_config_dirs=[])
    with fresh_database():
        for host in ("a", "b"):
            compute_nodes.upsert(make_node(host))
        yield


def _server(name: str = "vm", **values: Any) -> Instance:
    """A server on host a that is claimed and counted."""
    instance = instances.insert(make_instance(name, host="a", node="a", **values))
    assert allocations.claim(compute_nodes.on_host("a")[0].uuid, instance.uuid, 1, 64, 0)
    if quota.counts(instance):
        quota.reserve("project", quota_counts([instance.flavor]))
    return instance


def _operation(instance: Instance, action: str) -> Operation:
    number = operations.insert_pending(
        request_id="r", instance_uuid=instance.uuid, action=action, project_id="p", user_id="u", topic="compute",
        host="a", args={}, timeout_s=None,
    )  # fmt: skip
    taken = operations.take(number, "me", 9, "compute", "a")
    assert taken is not None
    return taken


def _delete(instance: Instance) -> None:
    taken = _operation(instance, "delete")
    for _ in range(2):
        journal.finish_delete(taken.id, taken.attempt)
    assert instances.get(instance.uuid, include_deleted=True).is_deleted


def test_its_quota_is_given_back_once() -> None:
    kept, gone = _server("kept"), _server("gone")
    _delete(gone)
    assert quota.usage("project")["instances"] == 1 and quotas.audit() == []
    assert [each.instance_uuid for each in allocations.list()] == [kept.uuid]


def test_what_was_soft_deleted_counted_for_nothing_any_more() -> None:
    _server("kept")
    _delete(_server("gone", vm_state="soft-delete"))
    assert quota.usage("project")["instances"] == 1 and quotas.audit() == []


def test_another_who_deleted_it_meanwhile_has_given_its_quota_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """As two conductors do that read the server at the same moment."""
    _server("kept")
    gone = _server("gone")
    _delete(gone)
    monkeypatch.setattr(journal, "_instance", lambda operation: gone)
    again = _operation(gone, "delete")
    journal.finish_delete(again.id, again.attempt)
    assert quota.usage("project")["instances"] == 1 and quotas.audit() == []


def test_a_move_that_was_open_ends_with_it() -> None:
    server = _server()
    move = moves.begin(_operation(server, "resize"), server, MigrationType.RESIZE, server.flavor)
    assert allocations.claim(compute_nodes.on_host("b")[0].uuid, server.uuid, 1, 64, 0)
    _delete(server)
    assert not migrations.get(move.uuid).is_open
    assert allocations.list() == [] and allocations.audit() == [] and quotas.audit() == []


def test_its_tokens_and_its_shelved_image_end_with_it() -> None:
    server = _server(system_metadata={"shelved_image_id": "image"})
    expires_at = utcnow() + datetime.timedelta(hours=1)
    console_tokens.create("t", ConsoleToken(server.uuid, "vnc", ConsoleAddress("192.0.2.1", 5900, "x"), expires_at))
    _delete(server)
    assert console_tokens.held() == []
    assert [each.image_id for each in provisional_images.due()] == ["image"]
