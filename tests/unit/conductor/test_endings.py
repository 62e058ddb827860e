"""What ends with an operation: moves, claims, generations, images, in the transaction that ends it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import conf as nova_conf
from nova_lite import exception, quota
from nova_lite.compute import actions
from nova_lite.compute.power_states import PowerState
from nova_lite.conductor import failures, journal, moves
from nova_lite.conductor.tasks import evacuate
from nova_lite.db.api import allocations, compute_nodes, instances, migrations, operations, provisional_images, quotas
from nova_lite.db.session import writer
from nova_lite.objects import (
    Flavor,
    Instance,
    Migration,
    MigrationStatus,
    MigrationType,
    Operation,
    OperationState,
    Selection,
)
from nova_lite.objects.flavor import quota_counts
from nova_lite.objects.migration import side
from tests.harness.builders import make_flavor, make_node
from tests.harness.database import fresh_database, make_instance
from tests.harness.lone_host import vif

SMALL: Flavor = make_flavor("small", vcpus=1, memory_mb=64)
LARGE: Flavor = make_flavor("large", vcpus=4, memory_mb=128)


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    nova_conf.register_all()
    nova_conf.CONF([], project="nova-lite", default_config_files=[], default_config_dirs=[])
    with fresh_database():
        for host in ("a", "b", "c"):
            compute_nodes.upsert(make_node(host))
        yield


def _claim(uuid: str, host: str, flavor: Flavor = SMALL) -> None:
    assert allocations.claim(compute_nodes.on_host(host)[0].uuid, uuid, flavor.vcpus, flavor.memory_mb, 0)


def _held(uuid: str) -> list[str]:
    hosts = {node.uuid: node.host for node in compute_nodes.list_all()}
    return [hosts[claim.node_uuid] for claim in allocations.of_instance(uuid)]


def _server(**values: Any) -> Instance:
    defaults = {"host": "a", "node": "a", "generation": 1, "flavor": SMALL}
    instance = instances.insert(make_instance(**{**defaults, **values}))
    quota.reserve("project", quota_counts([SMALL]))
    _claim(instance.uuid, "a")
    return instance


def _operation(instance: Instance, action: str, host: str = "a", **args: Any) -> Operation:
    number = operations.insert_pending(
        request_id="r", instance_uuid=instance.uuid, action=action, project_id="project", user_id="user",
        topic="compute", host=host, args=args, timeout_s=9,
    )  # fmt: skip
    taken = operations.take(number, "me", 9, "compute", host)
    assert taken is not None
    return taken


def _sides() -> dict[str, Any]:
    return {"old": side("a", "a", "nova", SMALL), "new": side("b", "b", "nova", LARGE), "power_on": True}


def _moving(stage: str, host: str, **server: Any) -> tuple[Operation, Instance, Migration]:
    """A resize from a to b in the hands of a host."""
    instance = _server(task_state="resize_prep", **server)
    operation = _operation(instance, "resize", host, stage=stage, **_sides())
    migration = moves.begin(operation, instance, MigrationType.RESIZE, LARGE)
    _claim(instance.uuid, "b", LARGE)
    assert moves.plan(migration, "b", "b")
    return operation, instance, migrations.get(migration.uuid)


def _is_clean() -> bool:
    return not allocations.audit() and not quotas.audit()


def test_a_move_that_arrived_waits_and_is_settled_when_it_is_confirmed() -> None:
    operation, instance, migration = _moving("finish", "b")
    arrived = {"host": "b", "node": "b", "generation": 2, "flavor": LARGE}
    instances.update_if(instance.uuid, arrived)
    journal.finish(operation.id, operation.attempt, PowerState.RUNNING, {})
    assert migrations.get(migration.uuid).status == MigrationStatus.FINISHED and _is_clean()
    confirm = _operation(instance, "confirmResize")
    journal.finish(confirm.id, confirm.attempt, PowerState.RUNNING, {})
    assert migrations.get(migration.uuid).status == MigrationStatus.CONFIRMED
    assert (_held(instance.uuid), _held(migration.uuid)) == (["b"], []) and _is_clean()


def test_a_move_that_fails_gives_everything_back_with_its_operation() -> None:
    operation, instance, migration = _moving("clear", "b")
    journal.fail(operation.id, operation.attempt, "no", "", 500)
    assert not migrations.get(migration.uuid).is_open
    assert (_held(instance.uuid), _held(migration.uuid)) == (["a"], []) and _is_clean()


@pytest.mark.parametrize("stage", ["resize", "finish"])
def test_a_move_that_got_stuck_half_way_goes_back_to_its_source(stage: str) -> None:
    operation, instance, migration = _moving(stage, "b", generation=1)
    with writer():
        failures.give_up(operations.get(operation.id), instances.get(instance.uuid), "Stuck.")
    found = operations.get(operation.id)
    assert (found.state, found.host, found.args["stage"]) == (OperationState.PENDING, "a", "undo")
    assert migrations.get(migration.uuid).is_open, "until it is undone"


def _reverting(host: str = "b") -> tuple[Operation, Instance, Migration]:
    """A server that is on b, and its revert, whose first turn is b's."""
    _, instance, migration = _moving("finish", "b")
    instances.update_if(instance.uuid, {"host": "b", "node": "b", "generation": 2, "flavor": LARGE})
    assert migrations.update_if(migration.uuid, {"status": MigrationStatus.REVERTING}, *MigrationStatus)
    return _operation(instance, "revertResize", host, **_sides()), instance, migration


def test_a_revert_that_got_stuck_on_its_destination_goes_on_at_its_source() -> None:
    operation, instance, migration = _reverting()
    with writer():
        failures.give_up(operations.get(operation.id), instances.get(instance.uuid), "Stuck.")
    found, row = operations.get(operation.id), instances.get(instance.uuid)
    assert (found.state, found.host, found.args["stage"]) == (OperationState.PENDING, "a", "finish")
    assert (row.host, row.generation, row.flavor.name) == ("a", 3, "small")
    assert found.args["power_on"] is False, "nobody knows whether the other guest runs"
    assert migrations.get(migration.uuid).is_open, "until the source has it again"


def test_a_revert_that_fails_leaves_the_server_where_its_copy_is_whole() -> None:
    operation, instance, migration = _reverting()
    journal.fail(operation.id, operation.attempt, "no", "", 500)
    row = instances.get(instance.uuid)
    assert (row.host, row.generation, row.vm_state) == ("a", 3, "error")
    (settle,) = [each for each in operations.open_for_instance(instance.uuid) if each.action == "settle"]
    assert (settle.host, settle.args["generation"], settle.args["sides"]) == ("a", 3, ["b"])
    assert not migrations.get(migration.uuid).is_open
    assert (_held(instance.uuid), _held(migration.uuid)) == (["a"], []) and _is_clean()


def test_a_move_that_got_nowhere_simply_ends() -> None:
    operation, instance, migration = _moving("prep", "b")
    with writer():
        failures.give_up(operations.get(operation.id), instances.get(instance.uuid), "Stuck.")
    assert operations.get(operation.id).state is OperationState.FAILED
    assert not migrations.get(migration.uuid).is_open and _is_clean()


# -- evacuations ----------------------------------------------------------------------------------


def _evacuating() -> tuple[Operation, Instance, Migration]:
    instance = _server(task_state="rebuilding")
    number = operations.insert_pending(
        request_id="r", instance_uuid=instance.uuid, action="evacuate", project_id="project", user_id="user",
        topic="conductor", host=None, args={"stopped": False}, timeout_s=9,
    )  # fmt: skip
    operation = operations.take(number, "me", 9, "conductor", None)
    assert operation is not None
    return operation, instance, moves.begin(operation, instance, MigrationType.EVACUATION)


def _send(operation: Operation, instance: Instance, migration: Migration, host: str) -> int:
    """The generation under which the host is asked to build."""
    (node,) = compute_nodes.on_host(host)
    _claim(instance.uuid, host)
    evacuate._send(operation, instance, migration, Selection(host, host, node.uuid, "nova", True))
    return int(operations.get(operation.id).args["generation"])


def test_each_host_that_is_asked_builds_under_a_generation_of_its_own() -> None:
    operation, instance, migration = _evacuating()
    first = _send(operation, instance, migration, "b")
    with writer():
        assert evacuate.without_host(operations.get(operation.id), instances.get(instance.uuid)) == operation.id
    assert _held(instance.uuid) == [], "the dead host holds no claim"
    again = operations.take(operation.id, "me", 9, "conductor", None)
    assert again is not None and "b" in again.args["ignore_hosts"]
    second = _send(again, instances.get(instance.uuid), migrations.get(migration.uuid), "c")
    assert instance.generation < first < second


def test_what_a_dead_host_built_is_older_than_the_server_that_stays() -> None:
    operation, instance, migration = _evacuating()
    built = _send(operation, instance, migration, "b")
    with writer():
        evacuate.without_host(operations.get(operation.id), instances.get(instance.uuid))
    again = operations.take(operation.id, "me", 9, "conductor", None)
    assert again is not None
    journal.fail(again.id, again.attempt, "No host.", "", 500)
    assert instances.get(instance.uuid).generation > built
    assert _held(instance.uuid) == ["a"] and not migrations.get(migration.uuid).is_open and _is_clean()


# -- images and interfaces ------------------------------------------------------------------------


def test_the_image_of_a_snapshot_that_went_well_stays() -> None:
    instance = _server()
    operation = _operation(instance, "createImage", image_id="image")
    provisional_images.promise("image", instance.uuid, 600)
    provisional_images.bind("image", operation.id)
    journal.finish(operation.id, operation.attempt, PowerState.RUNNING, {})
    assert provisional_images.list_all() == []


def test_the_image_of_a_snapshot_that_failed_goes() -> None:
    instance = _server()
    operation = _operation(instance, "createImage", image_id="image")
    provisional_images.promise("image", instance.uuid, 600)
    provisional_images.bind("image", operation.id)
    journal.fail(operation.id, operation.attempt, "no", "", 500)
    assert [each.image_id for each in provisional_images.due()] == ["image"]


@pytest.mark.parametrize("number", [None, 7])
def test_the_image_of_a_backup_stays_from_the_step_on_that_says_so(number: int | None) -> None:
    """Older ones go for it: a backup that is overtaken then does not take the newest along."""
    instance = _server()
    operation = _operation(instance, "createBackup", image_id="image")
    provisional_images.promise("image", instance.uuid, 600)
    provisional_images.bind("image", operation.id)
    journal.progress(operation.id, operation.attempt, "copy", {}, number and 1)
    assert len(provisional_images.list_all()) == 1
    journal.progress(operation.id, operation.attempt, actions.IMAGE_KEPT_STEP, {}, number)
    assert provisional_images.list_all() == []


def test_the_image_of_a_backup_that_was_overtaken_does_not_stay() -> None:
    instance = _server()
    operation = _operation(instance, "createBackup", image_id="image")
    provisional_images.promise("image", instance.uuid, 600)
    provisional_images.bind("image", operation.id)
    with writer():
        operations.end_open(instance.uuid, "Superseded.")
    with pytest.raises(exception.StaleWrite):
        journal.progress(operation.id, operation.attempt, actions.IMAGE_KEPT_STEP, {}, 7)
    assert [each.image_id for each in provisional_images.due()] == ["image"]


def test_an_attach_that_its_host_does_not_end_is_a_conductors_to_undo() -> None:
    instance = _server()
    operation = _operation(instance, "attach_interface", request={})
    with writer():
        failures.give_up(operation, instance, "Stuck.")
    found = operations.get(operation.id)
    assert (found.topic, found.host, found.args["stage"]) == ("conductor", None, "undo")
    with writer():
        failures.give_up(found, instance, "Still stuck.")
    assert operations.get(operation.id).state is OperationState.FAILED


@pytest.mark.parametrize("undone", [True, False])
def test_an_interface_whose_port_was_given_back_is_none_any_more(undone: bool) -> None:
    """A move has written it down meanwhile, with all other ports of the server."""
    instance = _server()
    instances.update_if(instance.uuid, {"network_info": (vif("kept"), vif("mine"))})
    operation = _operation(instance, "attach_interface", request={})
    for step in (actions.PORT_STEP + "mine", *([actions.UNDONE_STEP] if undone else [])):
        journal.progress(operation.id, operation.attempt, step, {})
    journal.fail(operation.id, operation.attempt, "no", "", 500)
    left = [each.id for each in instances.get(instance.uuid).network_info]
    assert left == (["kept"] if undone else ["kept", "mine"])
