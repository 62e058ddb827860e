"""Two detaches of one volume that look at it before either is accepted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from nova_lite import conf as nova_conf
from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.compute import acceptance, actions
from nova_lite.compute.doors.door import Neighbours
from nova_lite.compute.doors.volumes import VolumesDoor
from nova_lite.context import RequestContext
from nova_lite.db.api import instances, operations
from nova_lite.objects import BlockDevice, Instance
from nova_lite.volume.meta import Volume
from tests.harness.database import make_instance

CTXT = RequestContext(user_id="user", project_id="project", roles=["member"])
DEVICE = BlockDevice(
    source_type="volume", destination_type="volume", volume_id="v", attachment_id="a", bdm_uuid="b",
    connection={"driver_volume_type": "fake"},
)  # fmt: skip

pytestmark = pytest.mark.usefixtures("database")


def _accepted(server: Instance) -> None:
    """The other one is accepted in this moment, and waits for its host."""
    acceptance.action(CTXT, server, actions.DETACH_VOLUME, {"bdm_uuid": "b"})


def _done(server: Instance) -> None:
    """The other one is accepted in this moment, and done."""
    instances.update_if(server.uuid, {"block_devices": ()})


@pytest.mark.parametrize(("other", "refusal"), [
    (_accepted, exception.InvalidVolume), (_done, exception.VolumeNotAttached),
])  # fmt: skip
def test_of_two_detaches_one_is_accepted(
    other: Callable[[Instance], None], refusal: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second found the first one's mark before the first was accepted, and took it for what a crash had left."""
    server = instances.insert(make_instance(host="h", node="h", launched_at=utcnow(), block_devices=(DEVICE,)))
    volumes = mock.Mock(get=mock.Mock(return_value=Volume("v", "detaching", 1)))
    door = VolumesDoor(Neighbours(nova_conf.CONF, mock.Mock(), mock.Mock(), volumes, mock.Mock(), mock.Mock()))
    begin = door._begin_detaching

    def meanwhile(*args: Any) -> None:
        begin(*args)
        other(server)

    monkeypatch.setattr(door, "_begin_detaching", meanwhile)
    before = len(operations.open_for_instance(server.uuid))
    with pytest.raises(refusal):
        door.detach(CTXT, server, "v")
    assert len(operations.open_for_instance(server.uuid)) == before + (other is _accepted)
    assert not volumes.begin_detaching.called and not volumes.roll_detaching.called
