"""When a live migration may choose where its guest goes."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite import exception
from nova_lite.conductor import moves, resets
from nova_lite.conductor.tasks import live_migrate
from nova_lite.context import admin_context
from nova_lite.db.api import compute_nodes, instances, operations
from nova_lite.objects import BlockDevice, MigrationStatus, MigrationType, Operation, OperationState
from tests.harness.builders import make_node
from tests.harness.database import make_instance
from tests.harness.lone_host import Volumes

pytestmark = pytest.mark.usefixtures("database")


def test_it_waits_while_volumes_are_bound_to_the_servers_host_again() -> None:
    """Who binds them gives up what else is held for the server: what a destination had made ready was gone."""
    server = instances.insert(make_instance(host="a", node="a"))
    assert not live_migrate._volumes_change(server)
    resets.let_go(server)
    assert not live_migrate._volumes_change(server)
    resets.bring_back(server)
    assert live_migrate._volumes_change(server)


class _Nowhere:
    """Nothing is found any more; ``asked`` counts the questions."""

    def __init__(self) -> None:
        self.asked = 0

    def is_dead(self, host: str) -> bool:
        return False

    def choose(self, ctxt: Any, operation: Operation, instance: Any) -> None:
        self.asked += 1

    def look_around(self, ctxt: Any, host: str) -> None:
        """The destination that refused."""


def _refused() -> Operation:
    """A destination refused, and its turn went back to the conductors."""
    device = BlockDevice("volume", "volume", volume_id="v", attachment_id="own", bdm_uuid="b", host="a")
    for host in ("a", "b"):
        compute_nodes.upsert(make_node(host))
    server = instances.insert(make_instance(host="a", node="a", task_state="migrating", block_devices=(device,)))
    failure = {"reason": "no", "details": "", "code": 500}
    number = operations.insert_pending(
        request_id="r", instance_uuid=server.uuid, action="live-migration", project_id="p", user_id="u",
        topic="conductor", host=None, timeout_s=90,
        args={"stage": "retry", "source": "a", "dest": "b", "to": None, "failure": failure},
    )  # fmt: skip
    taken = operations.take(number, "me", 9, "conductor", None)
    assert taken is not None
    moves.begin(taken, server, MigrationType.LIVE, status=MigrationStatus.ACCEPTED)
    return taken


def _execute(operation: Operation, volumes: Volumes) -> int:
    nowhere: Any = _Nowhere()
    live_migrate.LiveMigrateTask(nowhere, nowhere, volumes).execute(admin_context(), operation)  # type: ignore
    return int(nowhere.asked)


def test_what_a_destination_left_at_the_volume_service_goes_before_another_is_asked() -> None:
    """It could not take it back itself: its disk was full, or it died."""
    volumes = Volumes(own="attached", offered="reserved")
    assert _execute(_refused(), volumes) == 1 and volumes.attachments == {"own": "attached"}


def test_while_the_volume_service_is_away_no_other_is_asked() -> None:
    class Away(Volumes):
        def attachments_of(self, ctxt: Any, instance_uuid: str) -> Any:
            raise exception.Unavailable("away")

    operation = _refused()
    assert _execute(operation, Away()) == 0
    assert operations.get(operation.id).state == OperationState.PENDING


def test_a_conductor_that_was_overtaken_gives_nothing_back() -> None:
    """The next one has asked another destination meanwhile, and that has made its own."""
    operation = _refused()

    class Meanwhile(Volumes):
        def attachments_of(self, ctxt: Any, instance_uuid: str) -> Any:
            operations.pause(operation.id, operation.attempt, 0.0, "overtaken")
            return super().attachments_of(ctxt, instance_uuid)

    volumes = Meanwhile(own="attached", offered="reserved")
    with pytest.raises(exception.StaleWrite):
        _execute(operation, volumes)
    assert "offered" in volumes.attachments
