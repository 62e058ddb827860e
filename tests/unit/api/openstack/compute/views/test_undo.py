"""Walking a view back."""

from __future__ import annotations

from nova_lite.api.openstack.compute.views.undo import History, drop, step
from nova_lite.api.openstack.microversions import at

HISTORY = History(step("2.20", drop("c")), step("2.10", drop("b", "absent")), step("2.2", drop("a")))


def test_steps_newer_than_the_client_are_undone() -> None:
    newest = {"a": 1, "b": 2, "c": 3}
    assert HISTORY.walk_back(dict(newest), at("2.20")) == newest
    assert HISTORY.walk_back(dict(newest), at("2.19")) == {"a": 1, "b": 2}
    assert HISTORY.walk_back(dict(newest), at("2.9")) == {"a": 1}
    assert HISTORY.walk_back(dict(newest), at("2.1")) == {}


def test_a_step_may_ask_its_maker() -> None:
    history = History(step("2.5", lambda view, maker: view.update(id=maker)))
    assert history.walk_back({"id": "new"}, at("2.4"), 7) == {"id": 7}
