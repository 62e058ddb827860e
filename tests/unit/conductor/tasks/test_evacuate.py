"""What a conductor sees to before a server is built again elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite import exception
from nova_lite.conductor import moves
from nova_lite.conductor.tasks.evacuate import EvacuateTask
from nova_lite.context import admin_context
from nova_lite.db.api import compute_nodes, instances, operations
from nova_lite.objects import BlockDevice, MigrationStatus, MigrationType
from nova_lite.volume.meta import Volume
from tests.harness.builders import make_node
from tests.harness.database import make_instance

pytestmark = pytest.mark.usefixtures("database")


class _Marked:
    """Volumes on their way out; no host is ever chosen."""

    def __init__(self, is_there: bool = True) -> None:
        self.marked, self.asked, self._is_there = {"v", "w"}, 0, is_there

    def get(self, ctxt: Any, volume_id: str) -> Volume:
        if not self._is_there:
            raise exception.Unavailable("The volume service does not answer.")
        return Volume(volume_id, "detaching" if volume_id in self.marked else "in-use", 1)

    def roll_detaching(self, ctxt: Any, volume_id: str) -> None:
        self.marked.remove(volume_id)

    def choose(self, *_: Any) -> None:
        self.asked += 1


def _evacuate(marked: Any) -> None:
    devices = [
        BlockDevice("volume", "volume", volume_id=name, attachment_id=name, bdm_uuid=name, host="a") for name in "vw"
    ]  # fmt: skip
    compute_nodes.upsert(make_node("a"))
    server = instances.insert(make_instance(host="a", node="a", task_state="rebuilding", block_devices=tuple(devices)))
    about: dict[str, Any] = {
        "request_id": "r", "instance_uuid": server.uuid, "project_id": "p", "user_id": "u", "topic": "conductor",
        "host": None, "timeout_s": 90,
    }  # fmt: skip
    operations.insert_pending(**about, action="attach_volume", args={"bdm_uuid": "w"})
    taken = operations.take(operations.insert_pending(**about, action="evacuate", args={}), "me", 9, "conductor", None)
    assert taken is not None
    moves.begin(taken, server, MigrationType.EVACUATION, status=MigrationStatus.ACCEPTED)
    EvacuateTask(marked, marked, marked).execute(admin_context(), taken)


def test_a_volume_that_a_superseded_detach_was_to_take_out_comes_along() -> None:
    """Cinder reserves nothing that is on its way out: the server could be built nowhere else."""
    marked = _Marked()
    _evacuate(marked)
    assert marked.marked == {"w"} and marked.asked == 1, "the other is still being worked on"


def test_a_volume_service_that_is_away_keeps_no_server_on_its_dead_host() -> None:
    marked = _Marked(is_there=False)
    _evacuate(marked)
    assert marked.marked == {"v", "w"} and marked.asked == 1
