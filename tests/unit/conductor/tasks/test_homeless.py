"""Volumes of servers that no host has, or that a live migration left where it was to go."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.conductor.tasks.homeless import HomelessTask
from nova_lite.context import admin_context
from nova_lite.db.api import instances, operations
from nova_lite.objects import BlockDevice, Instance, Operation
from nova_lite.volume.meta import Attachment
from tests.harness.database import make_instance
from tests.harness.lone_host import Network, Volumes

pytestmark = pytest.mark.usefixtures("database")

DEVICE = BlockDevice("volume", "volume", volume_id="v", attachment_id="own", bdm_uuid="b", host="a")
UNSENT = {"generation": 4, "sides": ["a", "b"], "devices": [], "former": [], "undecided": False, "unsent": True}
LEFT = {"generation": 4, "sides": [], "devices": [], "former": [], "undecided": False, "left": "a"}


class _Compute:
    """Hosts that are asked to look around."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def look_around(self, ctxt: Any, host: str) -> None:
        self.asked.append(host)


def _server(**values: Any) -> Instance:
    found = {"host": "a", "node": "a", "generation": 4, "block_devices": (DEVICE,), **values}
    return instances.insert(make_instance(**found))


def _turn(server: Instance, action: str, args: dict[str, Any]) -> Operation:
    number = _open(server, action, args)
    taken = operations.take(number, "me", 9, "conductor", None)
    assert taken is not None
    return taken


def _open(server: Instance, action: str, args: dict[str, Any]) -> int:
    return operations.insert_pending(
        request_id="r", instance_uuid=server.uuid, action=action, project_id="p", user_id="u", topic="conductor",
        host=None, timeout_s=None, args=args,
    )  # fmt: skip


def _execute(operation: Operation, volumes: Volumes) -> tuple[str, list[str]]:
    """The operation's state after the turn, and the hosts that were asked to look around."""
    compute: Any = _Compute()
    HomelessTask(compute, Network(), volumes).execute(admin_context(), operation)  # type: ignore[arg-type]
    return str(operations.get(operation.id).state), compute.asked


def test_what_a_destination_held_of_a_guest_that_was_never_sent_goes() -> None:
    volumes = Volumes(own="attached", theirs="attaching")
    assert _execute(_turn(_server(), "settle", UNSENT), volumes) == ("done", ["b"])
    assert volumes.attachments == {"own": "attached"}


def test_what_a_swap_brings_is_not_taken_for_what_a_destination_held() -> None:
    volumes = Volumes(own="attached", swap="reserved")
    found = [Attachment("own", "v", "s", "attached"), Attachment("swap", "another volume", "s", "reserved")]
    volumes.attachments_of = lambda *_: found  # type: ignore[method-assign]
    assert _execute(_turn(_server(), "settle", UNSENT), volumes)[0] == "done"
    assert volumes.attachments == {"own": "attached", "swap": "reserved"}


@pytest.mark.parametrize(
    ("task", "also"),
    [("shelving", None), (None, {**LEFT, "back": True})],
)
def test_what_is_made_for_a_server_that_is_worked_on_is_not_taken_for_it_either(
    task: str | None, also: dict[str, Any] | None
) -> None:
    volumes, server = Volumes(own="attached", next="reserved"), _server(task_state=task)
    turn = _turn(server, "settle", UNSENT)
    if also is not None:
        _open(server, "settle", also)
    assert _execute(turn, volumes)[0] == "pending"
    assert volumes.attachments == {"own": "attached", "next": "reserved"}


def test_a_server_that_has_moved_since_keeps_what_its_host_has() -> None:
    volumes, server = Volumes(own="attached", theirs="attaching"), _server(generation=5)
    assert _execute(_turn(server, "settle", UNSENT), volumes)[0] == "done"
    assert len(volumes.attachments) == 2


def test_a_volume_that_goes_while_it_is_reserved_anew_is_held_by_nothing() -> None:
    server = _server(host=None, node=None)

    class Meanwhile(Volumes):
        def attachment_create(self, ctxt: Any, volume_id: str, instance_uuid: str) -> str:
            instances.update_if(server.uuid, {"block_devices": ()})
            return super().attachment_create(ctxt, volume_id, instance_uuid)

    volumes = Meanwhile(own="attached")
    assert _execute(_turn(server, "settle", LEFT), volumes)[0] == "done"
    assert volumes.attachments == {}


def test_a_detach_takes_all_that_holds_the_volume() -> None:
    """A settling had just reserved it anew."""
    volumes, server = Volumes(own="attached", anew="reserved"), _server(host=None, node=None)
    assert _execute(_turn(server, "detach_volume", {"bdm_uuid": "b"}), volumes)[0] == "done"
    assert volumes.attachments == {} and instances.get(server.uuid).block_devices == ()


def test_who_was_overtaken_in_a_detach_takes_nothing_of_what_was_attached_since() -> None:
    """It stood still before it asked; another conductor ended the detach, and the volume was attached once more."""
    server = _server(host=None, node=None)
    turn = _turn(server, "detach_volume", {"bdm_uuid": "b"})

    class Meanwhile(Volumes):
        def attachments_of(self, ctxt: Any, instance_uuid: str) -> list[Attachment]:
            operations.give_up(operations.get(turn.id), "stands for: another conductor ended it")
            self.attachments = {"second": "attached"}
            return super().attachments_of(ctxt, instance_uuid)

    volumes = Meanwhile(own="attached")
    with pytest.raises(exception.StaleWrite):
        _execute(turn, volumes)
    assert volumes.attachments == {"second": "attached"}


@pytest.mark.parametrize("overtaken", [False, True])
def test_what_is_attached_while_volumes_are_reserved_anew_stays(overtaken: bool) -> None:
    """By a user, or by another conductor, who went on where this one stood still."""
    server = _server(host=None, node=None)
    turn = _turn(server, "settle", LEFT)

    class Meanwhile(Volumes):
        def attachments_of(self, ctxt: Any, instance_uuid: str) -> list[Attachment]:
            self.attachments["second"] = "reserved"
            if overtaken:
                operations.give_up(operations.get(turn.id), "stands for: another conductor has its turn")
            else:
                row = instances.get(server.uuid)
                second = DEVICE.replace(attachment_id="second", bdm_uuid="c", volume_id="w")
                instances.update_if(server.uuid, {"block_devices": (*row.block_devices, second)})
            return super().attachments_of(ctxt, instance_uuid)

    volumes = Meanwhile(own="attached")
    with pytest.raises(exception.StaleWrite) if overtaken else contextlib.nullcontext():
        _execute(turn, volumes)
    assert "second" in volumes.attachments


def test_a_volume_that_cannot_be_reserved_now_is_tried_again() -> None:
    def refused(*_: Any) -> str:
        raise exception.Unavailable("The volume service does not answer.")

    volumes = Volumes(own="attached")
    volumes.attachment_create = refused  # type: ignore[method-assign]
    assert _execute(_turn(_server(host=None, node=None), "settle", LEFT), volumes)[0] == "pending"
    assert volumes.attachments == {"own": "attached"}


def test_what_a_server_with_a_host_does_is_for_its_host_to_say() -> None:
    """It was stopped while the volume service was asked."""
    server = _server(power_state=1)

    class Meanwhile(Volumes):
        def attachments_of(self, ctxt: Any, instance_uuid: str) -> list[Attachment]:
            instances.update_if(server.uuid, {"power_state": 4})
            return super().attachments_of(ctxt, instance_uuid)

    assert _execute(_turn(server, "settle", UNSENT), Meanwhile(own="attached"))[0] == "done"
    assert instances.get(server.uuid).power_state == 4
