"""What a conductor believes of a host: who it is, and that it lives."""

from __future__ import annotations

import dataclasses

import pytest

from nova_lite import exception, versions
from nova_lite.conductor import hosts
from nova_lite.db.api import compute_nodes, instances, operations, services
from nova_lite.db.models import Service as ServiceModel
from nova_lite.db.session import writer
from nova_lite.liveness import COMPUTE
from nova_lite.objects import HostIdentity, Operation, Service
from tests.harness.builders import make_node
from tests.harness.database import make_instance

LEASE_S = 30.0

pytestmark = pytest.mark.usefixtures("database")


def _service(epoch: str, version: int = versions.CURRENT.number) -> Service:
    return Service(
        "uuid", "h", COMPUTE, "compute", epoch=epoch, version=version, works_with=versions.CURRENT.works_with
    )


def _register(epoch: str, known: HostIdentity | None = None) -> HostIdentity | None:
    return hosts.register(_service(epoch), make_node("h"), _owner(epoch), known)


def _owner(epoch: str) -> str:
    return f"{COMPUTE}:h:{epoch}"


def _operation() -> int:
    server = instances.insert(make_instance(host="h", node="h"))
    return operations.insert_pending(
        request_id="r", instance_uuid=server.uuid, action="stop", project_id="p", user_id="u", topic="compute",
        host="h", args={}, timeout_s=90,
    )  # fmt: skip


def _take(number: int, epoch: str) -> Operation | None:
    taken = hosts.take(number, _owner(epoch), LEASE_S, "h")
    return taken and taken[0]


def test_what_a_former_life_held_may_be_taken_at_once_and_by_the_present_one_only() -> None:
    _register("one")
    number = _operation()
    first = _take(number, "one")
    assert first is not None and _take(number, "one") is None
    _register("two")
    assert _take(number, "one") is None, "a former life takes nothing"
    second = _take(number, "two")
    assert second is not None and second.retries == 1
    with pytest.raises(exception.StaleWrite):
        operations.hold(number, first.attempt)


def test_a_former_life_is_told_that_it_was_replaced() -> None:
    _register("one")
    _register("two")
    beats = services.get_by_host("h", COMPUTE).beats
    with pytest.raises(exception.HostReplaced):
        hosts.heartbeat("h", "one", _owner("one"), [], LEASE_S)
    assert services.get_by_host("h", COMPUTE).beats == beats
    assert hosts.heartbeat("h", "two", _owner("two"), [], LEASE_S)["beats"] == beats + 1


def test_a_host_that_nobody_knows_must_register() -> None:
    with pytest.raises(exception.ServiceNotFound):
        hosts.heartbeat("h", "one", _owner("one"), [], LEASE_S)


def test_the_heartbeat_brings_what_no_message_told_and_keeps_what_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "_WAKE_UP_GRACE_S", 0.0)
    _register("one")
    held, waits = _operation_of("held"), _operation_of("waits")
    taken = operations.take(held, _owner("one"), 0.5, "compute", "h")
    assert taken is not None
    answer = hosts.heartbeat("h", "one", _owner("one"), [held, 999], LEASE_S)
    assert (answer["waiting"], answer["lost"]) == ([waits], [999])
    now = operations.get(held)
    assert now.lease_until is not None and taken.lease_until is not None
    assert (now.lease_until - taken.lease_until).total_seconds() > LEASE_S / 2


def _operation_of(name: str) -> int:
    server = instances.insert(make_instance(name, host="h", node="h"))
    return operations.insert_pending(
        request_id="r", instance_uuid=server.uuid, action="stop", project_id="p", user_id="u", topic="compute",
        host="h", args={}, timeout_s=90,
    )  # fmt: skip


def test_a_host_that_is_somebody_else_writes_nothing() -> None:
    known = _register("one", HostIdentity("mine", "h", ""))
    assert known is not None and known.cloud
    for wrong in (known.replace(uuid="another"), known.replace(cloud="another"), known.replace(mark=known.mark + 9)):
        with pytest.raises(exception.HostRefused):
            _register("two", wrong)
    assert services.get_by_host("h", COMPUTE).epoch == "one"
    assert _register("two", known) is not None


def test_a_host_that_is_too_old_writes_nothing() -> None:
    old = dataclasses.replace(_service("one"), version=0)
    with pytest.raises(exception.IncompatibleVersion):
        hosts.register(old, make_node("h"), _owner("one"), None)
    assert services.list() == [] and compute_nodes.on_host("h") == []


def test_a_host_that_stayed_behind_an_upgrade_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not that another has replaced it: then it would never register again."""
    assert _register("one") is None
    table = ServiceModel.__table__
    with writer() as session:
        session.execute(table.update().values(version=0))
    with pytest.raises(exception.IncompatibleVersion):
        hosts.heartbeat("h", "one", _owner("one"), [], 9.0)
