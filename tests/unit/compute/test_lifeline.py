"""A host's lives are counted: what a former one said, and comes late, replaces nobody for good."""

from __future__ import annotations

import pathlib
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import text

from nova_lite import exception
from nova_lite.compute.lifeline import Lifeline
from nova_lite.conductor import hosts
from nova_lite.context import RequestContext
from nova_lite.db.api import services
from nova_lite.db.session import writer
from nova_lite.liveness import COMPUTE
from nova_lite.objects import ComputeNode, HostIdentity, Service
from nova_lite.objects.host import epoch_of, is_former, number_of
from tests.harness.builders import make_node

pytestmark = pytest.mark.usefixtures("database")


class Conductor:
    """Remembers what hosts say when they register, so that it can be said again."""

    def __init__(self) -> None:
        self.said: list[tuple[Service, ComputeNode, str, HostIdentity | None]] = []

    def register_host(
        self, ctxt: RequestContext, service: Service, node: ComputeNode, owner: str, known: HostIdentity | None
    ) -> HostIdentity | None:
        self.said.append((service, node, owner, known))
        return hosts.register(service, node, owner, known)

    def heartbeat(
        self, ctxt: RequestContext, host: str, epoch: str, owner: str, in_flight: list[int]
    ) -> dict[str, Any]:
        return hosts.heartbeat(host, epoch, owner, in_flight, 30.0)


def _begin(conductor: Any, directory: pathlib.Path | None = None) -> Lifeline:
    life = Lifeline(COMPUTE, "h", 30.0, conductor, lambda: make_node("h"), list, mock.Mock(), mock.Mock())
    life.begin(directory)
    return life


def _present() -> str:
    return str(services.get_by_host("h", COMPUTE).epoch)


def _is_served_by(life: Lifeline) -> bool:
    life.beat()
    return life.fence.why_shut is None and _present() == life.epoch


def test_each_life_has_the_next_number_and_the_former_one_ends() -> None:
    conductor = Conductor()
    first, second, third = (_begin(conductor) for _ in range(3))
    assert [number_of(life.epoch) for life in (first, second, third)] == [1, 2, 3]
    assert third.owner == f"{COMPUTE}:h:{third.epoch}"
    assert _is_served_by(third)
    second.beat()
    assert "Another daemon serves host h" in str(second.fence.why_shut) and _present() == third.epoch


def test_what_a_former_life_said_and_comes_late_is_refused() -> None:
    """A conductor stood still with it, while the host began another life."""
    conductor = Conductor()
    _begin(conductor)
    present = _begin(conductor)
    number = len(services.list())
    for late in conductor.said[:-1]:
        with pytest.raises(exception.HostReplaced):
            hosts.register(*late)
    hosts.register(*conductor.said[-1])
    assert _is_served_by(present) and len(services.list()) == number


def test_a_life_that_hears_of_a_former_one_is_the_present_one() -> None:
    """Its row was gone, or a conductor of before the numbers wrote it: the late word was taken."""
    conductor = Conductor()
    former, present = _begin(conductor), _begin(conductor)
    services.destroy(services.get_by_host("h", COMPUTE).uuid)
    hosts.register(*conductor.said[0])
    assert _present() == former.epoch
    present.beat()
    assert _is_served_by(present)


def test_a_host_whose_row_was_removed_is_registered_by_its_present_life_only() -> None:
    conductor = Conductor()
    former, present = _begin(conductor), _begin(conductor)
    services.destroy(services.get_by_host("h", COMPUTE).uuid)
    present.beat()
    assert _is_served_by(present)
    with mock.patch.object(conductor, "heartbeat", side_effect=exception.ServiceNotFound(service="h")):
        former.beat()  # what it heard when the row was gone
    assert "Another daemon serves host h" in str(former.fence.why_shut) and _is_served_by(present)


def test_a_life_during_whose_beginning_another_began_is_over() -> None:
    conductor = mock.Mock()
    conductor.register_host.side_effect = exception.HostReplaced(host="h", epoch=epoch_of(7, "other"))
    with pytest.raises(exception.HostReplaced):
        _begin(conductor)


def test_a_copy_that_is_one_heartbeat_old_shuts_the_fence(tmp_path: pathlib.Path) -> None:
    life = _begin(Conductor(), tmp_path)
    assert _is_served_by(life)
    with writer() as session:
        session.execute(text("update services set beats = beats - 1"))
    assert not _is_served_by(life) and "older copy" in str(life.fence.why_shut)


@pytest.mark.parametrize(
    ("epoch", "present", "former"),
    [
        ("2.a", "2.a", False), ("2.a", "2.b", True), ("1.a", "2.b", True), ("10.a", "9.b", False),
        # of before the numbers, on either side
        ("abc", "2.b", False), ("1.a", "abc", False), ("1.a", None, False), (None, "2.b", False), ("x.y", "2.b", False),
    ],
)  # fmt: skip
def test_which_of_two_lives_is_over(epoch: str | None, present: str | None, former: bool) -> None:
    assert is_former(epoch, present) is former
