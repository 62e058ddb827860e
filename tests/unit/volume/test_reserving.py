"""What a worker left half done stands in the way of no other, and lets nobody else have the volume meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite import exception
from nova_lite.volume import reserving
from nova_lite.volume.meta import Volume
from tests.harness.lone_host import Volumes


class Strict(Volumes):
    """As Cinder: nothing is reserved while it is just being connected."""

    status = "attaching"

    def get(self, ctxt: Any, volume_id: str) -> Volume:
        return Volume(id=volume_id, status=self.status, size=1)

    def attachment_create(self, ctxt: Any, volume_id: str, instance_uuid: str) -> str:
        if self.status != "in-use":
            raise exception.InvalidInput(reason=f"the current status is {self.status}")
        return super().attachment_create(ctxt, volume_id, instance_uuid)

    def attachment_complete(self, ctxt: Any, attachment_id: str) -> None:
        super().attachment_complete(ctxt, attachment_id)
        self.status = "in-use"

    def attachment_delete(self, ctxt: Any, attachment_id: str) -> None:
        raise AssertionError("the volume would be anybody's")


def test_what_is_half_done_is_called_done_when_it_is_in_the_way() -> None:
    volumes, proofs = Strict(other="reserved", dead="attaching", whole="attached"), []
    new = reserving.anew(volumes, None, "v", "s", lambda: proofs.append(True))
    left = {"other": "reserved", "dead": "attached", "whole": "attached"}
    assert volumes.attachments == {**left, new: "reserved"} and proofs == [True]


def test_a_volume_that_is_being_connected_by_what_is_only_reserved_is_healed() -> None:
    """On a full disk the embedded service had written the one, and not the other."""
    volumes = Strict(torn="reserved")
    new = reserving.anew(volumes, None, "v", "s", lambda: None)
    assert volumes.attachments == {"torn": "attached", new: "reserved"}


def test_what_is_in_nobodys_way_stays() -> None:
    volumes, proofs = Volumes(other="attaching"), []
    new = reserving.anew(volumes, None, "v", "s", lambda: proofs.append(True))
    assert volumes.attachments == {"other": "attaching", new: "reserved"} and not proofs


def test_who_was_overtaken_changes_nothing() -> None:
    def overtaken() -> None:
        raise exception.StaleWrite(what="it")

    volumes = Strict(newer="attaching")
    with pytest.raises(exception.StaleWrite):
        reserving.anew(volumes, None, "v", "s", overtaken)
    assert volumes.attachments == {"newer": "attaching"}


@pytest.mark.parametrize(("volume", "status"), [("somebody else's", "attaching"), ("v", "detaching"), ("v", "error")])
def test_what_is_another_servers_or_on_its_way_out_or_broken_is_refused(volume: str, status: str) -> None:
    volumes = Strict(other="attaching")
    volumes.status = status
    with pytest.raises(exception.InvalidInput):
        reserving.anew(volumes, None, volume, "s", lambda: None)
    assert volumes.attachments == {"other": "attaching"}
