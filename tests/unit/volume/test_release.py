"""What the volume service keeps for a server is given back when the server goes, also what only that service knows."""

from __future__ import annotations

import pytest

from nova_lite import exception
from nova_lite.context import admin_context
from nova_lite.objects import BlockDevice, Instance
from nova_lite.volume.meta import Attachment, Volume
from nova_lite.volume.release import release
from tests.harness.database import make_instance

ROOT = BlockDevice(
    bdm_uuid="b", source_type="volume", destination_type="volume", device_name="/dev/vda", volume_id="v",
    attachment_id="known", delete_on_termination=True,
)  # fmt: skip


class Volumes:
    """A volume service with one volume."""

    def __init__(self, status: str = "available") -> None:
        self.status = status
        self.attachments = {"known", "forgotten"}
        self.deleted: list[str] = []

    def attachments_of(self, ctxt: object, instance_uuid: str) -> list[Attachment]:
        return [Attachment(each, "v", instance_uuid, "attached") for each in sorted(self.attachments)]

    def attachment_delete(self, ctxt: object, attachment_id: str) -> None:
        self.attachments.discard(attachment_id)

    def get(self, ctxt: object, volume_id: str) -> Volume:
        return Volume(id=volume_id, status=self.status, size=1)

    def delete(self, ctxt: object, volume_id: str) -> None:
        self.deleted.append(volume_id)


def _release(volumes: Volumes, server: Instance) -> None:
    release(volumes, admin_context(), server)  # type: ignore[arg-type]


def test_attachments_that_the_server_forgot_go_too() -> None:
    volumes = Volumes()
    _release(volumes, make_instance(block_devices=(ROOT,)))
    assert (volumes.attachments, volumes.deleted) == (set(), ["v"])


def test_a_volume_that_is_the_users_stays() -> None:
    volumes = Volumes()
    _release(volumes, make_instance(block_devices=(ROOT.replace(delete_on_termination=False),)))
    assert (volumes.attachments, volumes.deleted) == (set(), [])


@pytest.mark.parametrize("status", ["creating", "downloading"])
def test_a_volume_in_the_making_is_waited_for(status: str) -> None:
    """Deleted now it would be refused, and left behind."""
    volumes = Volumes(status)
    with pytest.raises(exception.Unavailable):
        _release(volumes, make_instance(block_devices=(ROOT,)))
    assert volumes.deleted == []
