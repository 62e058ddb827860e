"""Passing turns on, and ending them: said twice it happens once, and who was overtaken says nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from nova_lite import conf as nova_conf
from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.compute.power_states import PowerState
from nova_lite.conductor import journal, moves, resets
from nova_lite.db.api import allocations, compute_nodes, instances, operations
from nova_lite.objects import Operation
from tests.harness.builders import make_flavor, make_node
from tests.harness.database import fresh_database, make_instance


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    nova_conf.register_all()
    nova_conf.CONF([], project="nova-lite", default_config_files=[], default_config_dirs=[])
    with fresh_database():
        compute_nodes.upsert(make_node("a"))
        yield


def _taken(action: str = "migrate", **args: object) -> Operation:
    """A server on host a, claimed there, and an operation in the hands of that host's worker."""
    states = {"vm_state": "building", "task_state": None} if action == "create" else {"task_state": "resize_prep"}
    instance = instances.insert(make_instance(host="a", node="a", generation=4, **states))
    assert allocations.claim(compute_nodes.on_host("a")[0].uuid, instance.uuid, 1, 64, 0)
    number = operations.insert_pending(
        request_id="r", instance_uuid=instance.uuid, action=action, project_id="p", user_id="u", topic="compute",
        host="a", args=args, timeout_s=9,
    )  # fmt: skip
    taken = operations.take(number, "me", 9, "compute", "a")
    assert taken is not None
    return taken


def test_a_turn_that_is_passed_on_twice_is_passed_on_once() -> None:
    taken = _taken(stage="prep")
    journal.hand_over(taken.id, taken.attempt, "resize", "b", {"host": "b", "node": "b"}, {"disks": 1})
    passed, server = operations.get(taken.id), instances.get(taken.instance_uuid)
    journal.hand_over(taken.id, taken.attempt, "resize", "b", {"host": "b", "node": "b"}, {"disks": 1})
    assert (operations.get(taken.id), instances.get(taken.instance_uuid)) == (passed, server)
    assert (passed.host, passed.args["stage"], passed.args["disks"]) == ("b", "resize", 1)


def test_a_turn_that_is_passed_on_again_after_the_next_changes_nothing() -> None:
    taken = _taken(stage="prep")
    journal.hand_over(taken.id, taken.attempt, "resize", "b", {"host": "b", "node": "b"}, {})
    again = operations.take(taken.id, "other", 9, "compute", "b")
    assert again is not None
    journal.hand_over(again.id, again.attempt, "finish", "b", {}, {})
    passed = operations.get(taken.id)
    journal.hand_over(taken.id, taken.attempt, "resize", "b", {"host": "b", "node": "b"}, {})
    assert operations.get(taken.id) == passed and passed.args["stage"] == "finish"


def test_another_host_is_another_generation() -> None:
    taken = _taken(stage="prep")
    journal.hand_over(taken.id, taken.attempt, "resize", "b", {"host": "b", "node": "b"}, {})
    assert (instances.get(taken.instance_uuid).host, instances.get(taken.instance_uuid).generation) == ("b", 5)
    again = operations.take(taken.id, "other", 9, "compute", "b")
    assert again is not None
    journal.hand_over(again.id, again.attempt, "finish", "b", {"host": "b", "progress": 5}, {})
    assert instances.get(taken.instance_uuid).generation == 5, "it stayed where it was"


def test_another_flavor_on_the_same_host_is_another_generation() -> None:
    """Else an older look at the server would take what a later move set aside for its own."""
    taken = _taken(action="resize", stage="resize")
    for stage, flavor, expected in (("finish", "large", 5), ("undo", "large", 5), ("clear", "small", 6)):
        place = {"host": "a", "node": "a", "flavor": make_flavor(flavor)}
        journal.hand_over(taken.id, taken.attempt, stage, "a", place, {})
        assert instances.get(taken.instance_uuid).generation == expected
        again = operations.take(taken.id, "me", 9, "compute", "a")
        taken = again or taken


def test_nothing_begins_while_what_a_resize_made_stands_where_the_disks_are_to_be() -> None:
    taken = _taken(action="stop")
    instances.update_if(taken.instance_uuid, {"launched_at": None})
    server = instances.get(taken.instance_uuid)
    operations.hand_over(taken.id, taken.attempt, "compute", "a", taken.args)
    resets.bring_back(server, made_here=True)
    settles = next(each for each in operations.open_for_instance(server.uuid) if each.action == "settle")
    assert journal.take(taken.id, "me", 9, "a") is None
    assert operations.get(taken.id).state == "pending"
    mine = journal.take(settles.id, "me", 9, "a")
    assert mine is not None
    journal.progress(settles.id, mine[0].attempt, actions.CLEARED_STEP, {})
    assert not moves.is_in_the_way(server)


@pytest.mark.parametrize("say", [
    lambda it: journal.progress(it.id, it.attempt, "step", {"progress": 50}),
    lambda it: journal.hand_over(it.id, it.attempt, "resize", "b", {"host": "b", "node": "b"}, {}),
    lambda it: journal.finish(it.id, it.attempt, PowerState.RUNNING, {}),
    lambda it: journal.fail(it.id, it.attempt, "no", "", 500),
    lambda it: journal.refuse_build(it.id, it.attempt, "no", "", 3, retry=True),
    lambda it: journal.finish_delete(it.id, it.attempt),
    lambda it: journal.look_again(it.id, it.attempt),
], ids=["progress", "hand over", "finish", "fail", "refuse build", "finish delete", "look again"])  # fmt: skip
@pytest.mark.parametrize("overtaken", ["taken", "superseded"])
def test_who_was_overtaken_says_nothing(say: Callable[[Operation], object], overtaken: str) -> None:
    first = _taken("create")
    if overtaken == "taken":
        operations.renew("me", [first.id], -1)
        assert operations.take(first.id, "other", 9, "compute", "a") is not None
    else:
        operations.end_open(first.instance_uuid, "superseded")
    before = operations.get(first.id), instances.get(first.instance_uuid), allocations.list()
    with pytest.raises(exception.StaleWrite):
        say(first)
    assert (operations.get(first.id), instances.get(first.instance_uuid), allocations.list()) == before


@pytest.mark.parametrize(
    ("steps", "host", "waits"),
    [
        (["copying"], "a", True),
        (["kept", "copying"], "a", True),
        (["copying", "kept"], "a", False),
        (["copying", "swapped a-old"], "a", False),
        (["copying"], "b", False),
        ([], "a", False),
    ],
)
def test_no_guest_is_made_anew_while_nobody_knows_which_volume_it_has(steps: list[str], host: str, waits: bool) -> None:
    """Its row may name the old one, while the newer data are in the other. On another host it was made of its row."""
    taken = _taken(action="stop")
    number = operations.insert_pending(
        request_id="r", instance_uuid=taken.instance_uuid, action="swap_volume", project_id="p", user_id="u",
        topic="compute", host=host, args={}, timeout_s=9,
    )  # fmt: skip
    swap = operations.take(number, "me", 9, "compute", host)
    assert swap is not None
    operations.hold(number, swap.attempt, steps=steps)
    operations.hand_over(taken.id, taken.attempt, "compute", "a", taken.args)
    assert (journal.take(taken.id, "me", 9, "a") is None) == waits
