"""Volumes of a host: claimed before they are connected, connected once, and given up when another has the server."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.compute import volumes
from nova_lite.objects import BlockDevice, Instance
from nova_lite.volume.meta import Attachment, Volume
from tests.harness.database import make_instance
from tests.harness.lone_host import CTXT, NAME, LoneHost, Volumes, operation

CONNECTION = {"driver_volume_type": "fake"}
FIRST = BlockDevice("volume", "volume", volume_id="v", bdm_uuid="b", device_name="/dev/vdb")


def _server(**device: object) -> Instance:
    return make_instance(host=NAME, node=NAME, block_devices=(FIRST.replace(**device),))


def _connect(lone: LoneHost, server: Instance, **after: bool) -> Instance:
    return volumes.connect_all(lone.host, CTXT, operation("create", server), server, **after)


def test_what_was_begun_here_is_used_again() -> None:
    lone = LoneHost(Volumes(mine="attaching"))
    connected = _connect(lone, _server(attachment_id="mine", host=NAME))
    assert volumes.held(connected) == ["mine"] and lone.volumes.attachments == {"mine": "attached"}


def test_what_was_reserved_for_a_first_guest_is_taken_over() -> None:
    lone = LoneHost(Volumes(kept="reserved"))
    connected = _connect(lone, _server(attachment_id="kept", host=None))
    assert volumes.held(connected) == ["kept"] and lone.volumes.attachments == {"kept": "attached"}


def test_what_an_attach_may_hold_on_another_host_is_not_taken_over() -> None:
    """An evacuation used it, and the attach gave it up when it heard that it had been overtaken."""
    lone = LoneHost(Volumes(theirs="attaching"))
    server = _server(attachment_id="theirs", host=None).replace(launched_at=utcnow())
    (mine,) = volumes.held(_connect(lone, server))
    assert mine != "theirs" and lone.volumes.attachments == {mine: "attached"}


def test_what_another_host_or_a_former_try_had_is_given_up() -> None:
    lone = LoneHost(Volumes(theirs="attached", forgotten="reserved"))
    connected = _connect(lone, _server(attachment_id="theirs", host="there"))
    (mine,) = volumes.held(connected)
    assert mine not in ("theirs", "forgotten") and lone.volumes.attachments == {mine: "attached"}


def test_who_was_overtaken_connects_nothing_and_gives_nothing_up() -> None:
    lone = LoneHost(Volumes(theirs="attached"))
    lone.conductor.refuses = {"progress"}
    with pytest.raises(exception.StaleWrite):
        _connect(lone, _server(attachment_id="theirs", host="there"))
    assert lone.volumes.attachments == {"theirs": "attached"}


@pytest.mark.parametrize(("reserves", "left"), [(False, []), (True, ["reserved"])])
def test_what_cannot_be_connected_is_given_up_or_stays_reserved(reserves: bool, left: list[str]) -> None:
    lone = LoneHost(Volumes(kept="reserved"))
    lone.volumes.fails = {"attachment_update"}
    with pytest.raises(exception.Unavailable):
        _connect(lone, _server(attachment_id="kept", host=None), reserves=reserves)
    assert [*lone.volumes.attachments.values()] == left


def test_what_a_server_that_stays_had_connected_stays_its_own_whatever_fails() -> None:
    """A rebuild that failed so left a volume free for others that its server got again with the next reboot."""
    lone = LoneHost(Volumes(mine="attached"))
    lone.volumes.fails = {"attachment_update"}
    server = _server(attachment_id="mine", host=NAME, connection=CONNECTION)
    with pytest.raises(exception.Unavailable):
        volumes.connect_for_good(lone.host, CTXT, operation("rebuild", server), server)
    assert lone.volumes.attachments == {"mine": "attached"}


def test_what_was_called_done_so_that_nobody_else_has_it_is_not_taken_for_connected() -> None:
    """Nobody was told how to reach it."""
    lone = LoneHost(Volumes(mine="attached"))
    lone.volumes.fails = {"attachment_update"}
    server = _server(attachment_id="mine", host=NAME)
    with pytest.raises(exception.Unavailable):
        volumes.connect_for_good(lone.host, CTXT, operation("rebuild", server), server)
    (device,) = lone.conductor.told[-1][-1]["block_devices"]
    assert lone.volumes.attachments == {device.attachment_id: "reserved"} and device.host is None


def test_what_is_connected_of_a_server_that_stays_is_written_down_though_nobody_heard_so() -> None:
    """Its rebuild failed; the volume was in use at the volume service, and not connected in the server's row."""
    lone = LoneHost(_Unheard(former="reserved"))
    server = _server(attachment_id="former", host=None).replace(launched_at=utcnow())
    with pytest.raises(exception.Unavailable):
        volumes.connect_for_good(lone.host, CTXT, operation("rebuild", server), server)
    (mine,) = lone.volumes.attachments
    (device,) = lone.conductor.told[-1][-1]["block_devices"]
    assert (device.attachment_id, device.host, device.connection["driver_volume_type"]) == (mine, NAME, "fake")


def test_what_is_not_connected_of_a_server_that_stays_is_reserved_for_it() -> None:
    """It stayed "attaching" at the volume service, for ever."""
    lone = LoneHost(Volumes(mine="attaching"))
    lone.volumes.fails = {"attachment_update"}
    server = _server(attachment_id="mine", host=NAME, connection=CONNECTION)
    with pytest.raises(exception.Unavailable):
        volumes.connect_for_good(lone.host, CTXT, operation("rebuild", server), server)
    (device,) = lone.conductor.told[-1][-1]["block_devices"]
    assert lone.volumes.attachments == {device.attachment_id: "reserved"}
    assert (device.host, device.connection) == (None, {})


class _Unheard(Volumes):
    """Attachments are completed, and nobody hears so."""

    def attachment_complete(self, ctxt: Any, attachment_id: str) -> None:
        super().attachment_complete(ctxt, attachment_id)
        raise exception.Unavailable("attachment_complete was not answered")


def test_what_a_server_that_stays_does_not_need_is_given_up_once_more() -> None:
    """A rebuild whose volume service was deaf once left the volume held a second time, by what no row names."""
    lone = LoneHost(_DeafOnce(mine="attached", former="reserved"))
    server = _server(attachment_id="mine", host=NAME, connection=CONNECTION)
    with pytest.raises(exception.Unavailable):
        volumes.connect_for_good(lone.host, CTXT, operation("rebuild", server), server)
    assert lone.volumes.attachments == {"mine": "attached"}


class _DeafOnce(Volumes):
    """The first end of an attachment is not heard."""

    heard = False

    def attachment_delete(self, ctxt: Any, attachment_id: str) -> None:
        self.heard, before = True, self.heard
        if not before:
            raise exception.Unavailable("attachment_delete failed")
        super().attachment_delete(ctxt, attachment_id)


def test_who_was_overtaken_reserves_nothing_that_his_successor_is_just_connecting() -> None:
    """Cinder refuses that, and what stands in the way was given up: not the successor's."""
    lone = LoneHost(Volumes(mine="attached", newer="attaching"))

    def refused(*_: Any) -> str:
        raise exception.InvalidInput(reason="the current status is attaching")

    lone.volumes.attachment_create = refused  # type: ignore[method-assign]
    lone.volumes.get = lambda _, volume_id: Volume(volume_id, "attaching", 1)  # type: ignore[attr-defined]
    lone.conductor.refuses = {"look_again"}
    server = _server(attachment_id="mine", host=NAME)
    with pytest.raises(exception.StaleWrite):
        volumes.disconnect_all(lone.host, CTXT, operation("unshelve", server), server)
    assert lone.volumes.attachments == {"mine": "attached", "newer": "attaching"}


def test_what_is_offered_beside_a_host_that_has_it_is_reserved_and_connected_in_one() -> None:
    """Cinder connects no attachment to a second host that was made before."""
    lone, server = LoneHost(Volumes(theirs="attached")), _server(attachment_id="theirs", host="there")

    def refused(*_: Any) -> str:
        raise exception.InvalidInput(reason="duplicate connectors detected")

    lone.volumes.attachment_create = refused  # type: ignore[method-assign]
    lone.volumes.attachment_connect = lambda *_: Attachment("new", "v", server.uuid, "attaching")  # type: ignore
    (device,) = volumes.offer(lone.host, CTXT, operation("live-migration", server), server)
    assert (device.attachment_id, device.host) == ("new", NAME)


def test_a_host_that_takes_a_guest_over_gives_up_what_the_other_had() -> None:
    lone = LoneHost(Volumes(theirs="attached", mine="attaching"))
    server = _server(attachment_id="mine", host=NAME)
    lone.conductor.answers["look_again"] = server
    volumes.take(lone.host, CTXT, operation("live-migration", server), server, server.block_devices)
    assert lone.volumes.attachments == {"mine": "attached"}


def test_a_host_that_takes_a_guest_over_gives_up_what_its_server_lost_on_the_way() -> None:
    """A volume that was being attached was offered, too; its attaching was given up before the guest came."""
    lone = LoneHost(Volumes(theirs="attached", mine="attaching"))
    server = _server(attachment_id="mine", host=NAME)
    lone.conductor.answers["look_again"] = server.replace(block_devices=())
    volumes.take(lone.host, CTXT, operation("live-migration", server), server, server.block_devices)
    assert lone.volumes.attachments == {}


def test_what_its_server_lost_on_the_way_with_all_that_held_it_keeps_no_guest_from_being_taken_over() -> None:
    """A detach between the offer and the end took the offered attachment, too: the end looked for it for ever."""
    lone = LoneHost(Volumes(theirs="attached", other="attaching"))
    mine = _server(attachment_id="gone", host=NAME).block_devices[0]
    other = mine.replace(uuid="v2", volume_id="v2", bdm_uuid="bdm2", attachment_id="other")
    there = other.replace(attachment_id="theirs", host="there")
    server = _server(attachment_id="theirs", host="there").replace(block_devices=(there,))
    lone.conductor.answers["look_again"] = server.replace(block_devices=(other,))
    volumes.take(lone.host, CTXT, operation("live-migration", server), server, (mine, other))
    assert lone.volumes.attachments == {"other": "attached"}
    (written,) = [values for verb, *_, values in lone.conductor.told if verb == "progress"]
    assert written == {"block_devices": (other,)}


def test_who_was_overtaken_takes_nothing_over() -> None:
    lone = LoneHost(Volumes(theirs="attached", mine="attaching"))
    lone.conductor.refuses = {"progress"}
    server = _server(attachment_id="mine", host=NAME)
    with pytest.raises(exception.StaleWrite):
        volumes.take(lone.host, CTXT, operation("live-migration", server), server, server.block_devices)
    assert "theirs" in lone.volumes.attachments


def test_what_goes_on_the_shelf_stays_reserved() -> None:
    lone = LoneHost(Volumes(mine="attached"))
    server = _server(attachment_id="mine", host=NAME)
    shelved = volumes.disconnect_all(lone.host, CTXT, operation("shelve", server), server)
    assert [*lone.volumes.attachments.values()] == ["reserved"] and shelved.block_devices[0].host is None
