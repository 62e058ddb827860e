"""A rebuild that ends before it began leaves the server's row as its disk is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from nova_lite import conf as nova_conf
from nova_lite.compute import acceptance, actions
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor import evacuations, failures, journal, rebuilds
from nova_lite.context import admin_context
from nova_lite.db.api import compute_nodes, instances, operations
from nova_lite.db.session import writer
from nova_lite.objects import ImageMeta, Instance
from tests.harness.builders import make_node
from tests.harness.database import fresh_database, make_instance

OLD, NEW = ImageMeta(id="old", properties={"kernel_id": "k"}), ImageMeta(id="new")
CHANGES = {"image_ref": "new", "image": NEW, "kernel_id": "", "ramdisk_id": "", "key_name": "theirs", "key_data": "ssh"}


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    nova_conf.register_all()
    nova_conf.CONF([], project="nova-lite", default_config_files=[], default_config_dirs=[])
    with fresh_database():
        compute_nodes.upsert(make_node("a"))
        yield


def _reset(server: Instance, number: int) -> None:
    values = {"vm_state": VmState.ACTIVE, "task_state": None}
    acceptance.at_once(admin_context(), server, actions.RESET_STATE, values)


def _deadline(server: Instance, number: int) -> None:
    with writer():
        failures.give_up(operations.get(number), instances.get(server.uuid), "It took too long.")


def _evacuated(server: Instance, number: int) -> None:
    with writer():
        evacuations.supersede(server, operations.end_open(server.uuid, "Superseded."))


def _accepted() -> tuple[Instance, int]:
    server = instances.insert(make_instance(
        host="a", node="a", image_ref="old", image=OLD, kernel_id="k", key_name="mine", key_data="rsa"
    ))  # fmt: skip
    args = {"was": "active", "former": rebuilds.former(server, CHANGES)}
    number, _ = acceptance.action(admin_context(), server, actions.REBUILD, args, values=CHANGES)
    assert _made_of(server) == ("new", NEW, "", "theirs", "ssh")
    return server, number


def _made_of(server: Instance) -> tuple[object, ...]:
    row = instances.get(server.uuid)
    return row.image_ref, row.image, row.kernel_id, row.key_name, row.key_data


@pytest.mark.parametrize("end", [_reset, _deadline, _evacuated])
@pytest.mark.parametrize("begun", [True, False])
def test_a_rebuild_that_never_began_changed_nothing(
    begun: bool, end: Callable[[Instance, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evacuations, "dead_hosts", lambda _: {"a"})
    server, number = _accepted()
    if begun:
        assert journal.take(number, "me", 60, "a") is not None
    end(server, number)
    new, old = ("new", NEW, "", "theirs", "ssh"), ("old", OLD, "k", "mine", "rsa")
    assert _made_of(server) == (new if begun else old)


def test_one_that_an_older_api_accepted_is_left_as_it_is() -> None:
    server = instances.insert(make_instance(host="a", node="a", image_ref="old", image=OLD))
    acceptance.action(admin_context(), server, actions.REBUILD, {"was": "active"}, values={"image_ref": "new"})
    _reset(server, 0)
    assert instances.get(server.uuid).image_ref == "new"
