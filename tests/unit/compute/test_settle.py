"""What is bound of a guest whose live migration was given up: on the host that has it, once it is there."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.compute.power_states import PowerState
from nova_lite.compute.settle import settle
from nova_lite.objects import BlockDevice, Instance
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.database import make_instance
from tests.harness.lone_host import CTXT, NAME, LoneHost, Volumes, operation

OLD = BlockDevice(
    "volume", "volume", uuid="v", volume_id="v", attachment_id="old", bdm_uuid="b", host="there",
    connection={"data": {"on": "there"}},
)  # fmt: skip
NEW = OLD.replace(attachment_id="new", host=NAME, connection={"data": {"on": NAME}})
OTHER = OLD.replace(uuid="w", volume_id="w", attachment_id="other", bdm_uuid="c", host=None, connection={})


def _here(*devices: BlockDevice, has_guest: bool = True) -> tuple[LoneHost, Instance]:
    lone = LoneHost(Volumes(old="attached", new="attaching", other="reserved"))
    server = make_instance(host=NAME, generation=4, block_devices=devices)
    if has_guest:
        lone.driver.create_disks(CTXT, server)
        lone.driver.spawn(server, ())
    return lone, server


def _settle(lone: LoneHost, server: Instance, **other: Any) -> None:
    args = {
        "generation": 4, "sides": ["there", NAME], "devices": [NEW.to_primitive()], "former": ["old"], **other,
    }  # fmt: skip
    settle(lone.host, CTXT, operation("settle", server, (), **args), server)


def test_volumes_and_interfaces_follow_and_the_other_side_is_asked_to_look() -> None:
    lone, server = _here(OLD, OTHER)
    _settle(lone, server)
    assert lone.volumes.attachments == {"new": "attached", "other": "reserved"}
    assert lone.conductor.told[1][3:] == ("volumes claimed", {"block_devices": (NEW,)})
    assert lone.network.moved == [NAME]
    assert lone.conductor.verbs()[-2:] == ["finish_operation", "look_around"]
    assert lone.conductor.told[-1] == ("look_around", "there")


def test_who_does_it_again_after_a_crash_ends_the_same() -> None:
    lone, server = _here(NEW, OTHER)  # the row has them by now
    _settle(lone, server)
    assert lone.volumes.attachments == {"new": "attached", "other": "reserved"}


@pytest.mark.parametrize("present", [(OTHER,), (OTHER, OLD.replace(volume_id="swapped"))])
def test_what_the_server_has_no_more_is_given_up(present: tuple[BlockDevice, ...]) -> None:
    lone, server = _here(*present)
    _settle(lone, server, former=[])
    assert lone.volumes.attachments == {"old": "attached", "other": "reserved"}


@pytest.mark.parametrize("host", [NAME, None])
@pytest.mark.parametrize("left", [{}, {"new": "attaching"}])
def test_what_has_got_another_attachment_since_keeps_it(left: dict[str, str], host: str | None) -> None:
    """A rebuild, say, began after the reset: it had given up what the guest brought, and this was tried for ever.

    Where it failed, and the guest was started again, the volume is only reserved.
    """
    anew = NEW.replace(attachment_id="anew", host=host)
    lone, server = _here(anew)
    lone.volumes.attachments = {"anew": "attached", **left}
    _settle(lone, server)
    assert lone.volumes.attachments == {"anew": "attached"}
    assert not any(word[3:4] == ("volumes claimed",) for word in lone.conductor.told)
    assert "finish_operation" in lone.conductor.verbs()


def _given_up(look: Instance | None = None) -> tuple[LoneHost, Instance]:
    """A rebuild that could reserve nothing gave up what the guest brought; the row is as it was, or as given."""
    lone, server = _here(OLD)
    del lone.volumes.attachments["new"]
    lone.conductor.answers["look_again"] = look or server
    return lone, server


def test_what_the_guest_brought_and_somebody_gave_up_is_made_anew() -> None:
    lone, server = _given_up()
    _settle(lone, server)
    (made,) = lone.volumes.attachments.keys() - {"other"}
    assert made != "old" and lone.volumes.attachments[made] == "attached"
    ((device,),) = [word[4]["block_devices"] for word in lone.conductor.told if word[3:4] == ("volumes claimed",)]
    assert (device.attachment_id, device.host, bool(device.connection)) == (made, NAME, True)
    assert "finish_operation" in lone.conductor.verbs()


def test_what_is_replaced_meanwhile_is_not_made_anew() -> None:
    lone, server = _given_up(make_instance(host=NAME, generation=4, block_devices=(NEW.replace(attachment_id="anew"),)))
    _settle(lone, server)
    assert lone.volumes.attachments == {"old": "attached", "other": "reserved"}
    assert lone.conductor.verbs()[-1] == "put_down", "the next look tells what is in its place"


def test_what_was_made_anew_and_not_written_down_is_given_up() -> None:
    lone, server = _given_up()
    lone.conductor.refuses = {"volumes claimed"}
    with pytest.raises(exception.StaleWrite):
        _settle(lone, server)
    assert lone.volumes.attachments == {"old": "attached", "other": "reserved"}


def test_what_was_made_anew_and_may_be_written_down_stays_while_the_row_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The conductor wrote, and its answer was lost."""
    lone, server = _given_up()
    tell = lone.conductor.__getattr__

    def unanswered(ctxt: Any, *args: Any) -> None:
        tell("progress")(ctxt, *args)
        if args[2] == "volumes claimed":
            lone.conductor.answers["look_again"] = server.replace(block_devices=args[3]["block_devices"])
            raise exception.Unavailable("no answer")

    monkeypatch.setattr(lone.conductor, "progress", unanswered, raising=False)
    _settle(lone, server)
    assert set(lone.volumes.attachments.values()) == {"attached", "reserved"} and len(lone.volumes.attachments) == 3
    assert lone.conductor.verbs()[-1] == "put_down"


def test_of_a_guest_that_stays_the_offer_is_given_up() -> None:
    lone, server = _here(OLD)
    _settle(lone, server, devices=[], former=["new"])
    assert lone.volumes.attachments == {"old": "attached", "other": "reserved"}
    assert lone.conductor.verbs()[-2:] == ["finish_operation", "look_around"]


def test_while_the_guest_is_not_here_nothing_is_touched_and_the_other_side_is_asked() -> None:
    lone, server = _here(OLD, has_guest=False)
    _settle(lone, server)
    assert lone.volumes.attachments == {"old": "attached", "new": "attaching", "other": "reserved"}
    assert lone.conductor.verbs() == ["look_around", "put_down"] and lone.network.moved == []


def test_a_server_that_moved_since_keeps_what_was_done_for_it() -> None:
    lone, server = _here(NEW)
    _settle(lone, server.replace(generation=5))
    assert lone.volumes.attachments == {"old": "attached", "new": "attaching", "other": "reserved"}
    assert lone.network.moved == [NAME] and "finish_operation" in lone.conductor.verbs()


@pytest.mark.parametrize("what", ["found", "volumes claimed"])
def test_who_was_overtaken_gives_nothing_up(what: str) -> None:
    lone, server = _here(OLD)
    lone.conductor.refuses = {what}
    with pytest.raises(exception.StaleWrite):
        _settle(lone, server)
    assert "old" in lone.volumes.attachments and "finish_operation" not in lone.conductor.verbs()


def test_what_a_neighbour_refuses_is_tried_again() -> None:
    lone, server = _here(OLD)
    lone.network.fails.append(f"move to {NAME}")
    _settle(lone, server)
    assert lone.conductor.verbs()[-1] == "put_down"
    _settle(lone, server)
    assert "finish_operation" in lone.conductor.verbs()


def test_after_a_cold_move_was_given_up_the_source_has_all_of_it_and_its_guest_is_off() -> None:
    """It was set aside, and nobody else would ever take it up."""
    lone, server = _here(OLD)
    lone.driver.migrate_disk_and_power_off(server, "there", None, server.flavor)
    assert lone.driver.find_guest(server.uuid) is None
    _settle(lone, server, back=True, sides=[])
    guest = lone.driver.find_guest(server.uuid)
    assert guest is not None and guest.power_state == PowerState.SHUTDOWN
    assert lone.network.moved == [NAME] and "old" not in lone.volumes.attachments
    values = lone.conductor.told[-1][-1]
    assert lone.conductor.verbs()[-1] == "finish_operation" and values["vm_state"] == "stopped"
    assert not any(actions.FOUND_STEP in each for each in lone.conductor.told)


def test_a_guest_that_runs_at_the_source_goes_on() -> None:
    lone, server = _here()
    _settle(lone, server, back=True, sides=[])
    assert lone.conductor.verbs()[-1] == "finish_operation" and "vm_state" not in lone.conductor.told[-1][-1]
    assert lone.conductor.told[0][3] == actions.FOUND_STEP, "whatever was made ready elsewhere is nobody's"


def _made_here(guest: bool) -> tuple[LoneHost, Instance]:
    """A server whose resize on this host was given up: what it made stands where the server's disks are to be."""
    lone, server = _here()
    disks = lone.driver.migrate_disk_and_power_off(server, NAME, None, server.flavor)
    lone.driver.finish_migration(server, (), disks, True)
    lone.driver.roots[server.uuid] = "of the other flavor"
    if not guest:
        lone.driver.destroy(server)
    return lone, server


@pytest.mark.parametrize("guest", [True, False])
def test_what_a_resize_on_this_host_made_goes_before_its_disks_are_taken_up(guest: bool) -> None:
    lone, server = _made_here(guest)
    lone.driver.plan.add(FaultRule("revert_migration", FaultKind.RAISE, times=1))
    _settle(lone, server, back=True, sides=[], made_here=True)
    assert lone.conductor.verbs() == ["put_down"] and server.uuid in lone.driver.kept
    _settle(lone, server, back=True, sides=[], made_here=True)
    assert lone.conductor.told[1][3] == actions.CLEARED_STEP
    assert lone.conductor.told[-1][-1]["vm_state"] == "stopped"
    assert lone.driver.roots[server.uuid] != "of the other flavor" and lone.driver.kept == {}


@pytest.mark.parametrize("since", [{"steps": (actions.CLEARED_STEP,)}, {"generation": 3}])
def test_what_is_back_or_of_a_later_move_is_not_cleared(since: dict[str, Any]) -> None:
    lone, server = _here()
    args = {"generation": 4, "sides": [], "devices": [], "former": [], "back": True, "made_here": True, **since}
    settle(lone.host, CTXT, operation("settle", server, args.pop("steps", ()), **args), server)
    assert server.uuid in lone.driver.guests and server.uuid in lone.driver.disks


def _beside(**row: Any) -> tuple[LoneHost, Instance]:
    """A server that stays what a resize on this host made of it, and what that had set aside."""
    lone, server = _made_here(guest=True)
    return lone, server.replace(**row)


def test_what_a_move_that_is_over_set_aside_goes() -> None:
    lone, server = _beside()
    _settle(lone, server, let_go=True, sides=[NAME])
    assert lone.driver.kept == {} and lone.driver.roots == {server.uuid: "of the other flavor"}
    assert lone.conductor.verbs()[-1] == "finish_operation" and server.uuid in lone.driver.guests


@pytest.mark.parametrize(
    ("row", "guest"), [({"generation": 5}, True), ({"vm_state": "error"}, True), ({}, False), ({"generation": 5}, None)]
)
def test_what_may_be_the_only_whole_copy_or_a_later_moves_stays(row: dict[str, Any], guest: bool | None) -> None:
    lone, server = _beside(**row)
    if guest is None:
        lone.driver.spawn(server, ())  # a later move built it anew
    elif not guest:
        lone.driver.destroy(server)
    _settle(lone, server, let_go=True, sides=[NAME])
    assert server.uuid in lone.driver.kept and lone.conductor.verbs()[-1] == "finish_operation"


def test_while_somebody_is_at_work_nothing_that_was_set_aside_goes() -> None:
    lone, server = _beside(task_state="resize_prep")
    _settle(lone, server, let_go=True, sides=[NAME])
    assert server.uuid in lone.driver.kept and lone.conductor.verbs()[-1] == "put_down"


# -- the destination of a migration whose source is dead ---------------------------------------------


def _asked(lone: LoneHost, server: Instance, **other: Any) -> None:
    args = {"sides": ["there", NAME], "devices": [], "asked": NAME, "dest_node": "node", **other}
    settle(lone.host, CTXT, operation("settle", server, (), generation=4, **args), server)


@pytest.mark.parametrize("made_ready", [True, False])
def test_a_guest_that_has_not_come_will_not_come_any_more(made_ready: bool) -> None:
    lone, server = _here(OLD, has_guest=False)
    if made_ready:
        lone.driver.pre_live_migration(server.replace(generation=5), (), {})
    _asked(lone, server.replace(host="there"))
    assert not lone.driver.list_incoming() and not lone.driver.list_disks()
    assert lone.conductor.verbs() == ["progress", "put_down"] and lone.conductor.told[0][3] == actions.FOUND_STEP
    assert lone.volumes.attachments["old"] == "attached" and lone.network.moved == []


def test_the_row_of_a_guest_that_has_come_follows_it() -> None:
    lone, server = _here(OLD, has_guest=False)
    arrived = server.replace(generation=5)
    lone.driver.create_disks(CTXT, arrived)
    lone.driver.spawn(arrived, ())
    _asked(lone, server.replace(host="there"))
    assert lone.conductor.verbs() == ["guest_moved", "put_down"]
    assert lone.conductor.told[0][1:] == (server.uuid, 4, NAME, "node") and lone.driver.guests


def test_a_hypervisor_that_cannot_say_whether_it_came_has_said_nothing() -> None:
    lone, server = _here(OLD, has_guest=False)
    lone.driver.plan.add(FaultRule("rollback_live_migration", FaultKind.RAISE))
    _asked(lone, server.replace(host="there"))
    assert lone.conductor.verbs() == ["put_down"]


def test_who_was_asked_and_has_the_server_by_now_is_not_asked_any_more() -> None:
    lone, server = _here(NEW)
    _asked(lone, server.replace(generation=5), former=[])
    assert lone.conductor.verbs()[0] == "finish_operation" and lone.driver.guests
