"""Evacuations of servers whose host died in the middle of something, and of servers whose dead host comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nova_lite.compute import actions
from nova_lite.conductor import arrivals
from nova_lite.db.api import instances, operations
from tests.harness.cloud import ADMIN, Cloud, until
from tests.harness.failpoints import chores
from tests.harness.failpoints import preparations as of
from tests.harness.failpoints.preparations import Prepare

Act = Callable[[Cloud, str], Any]
# More often than anything is tried.
ALWAYS = 99
# What decides where a server's guest is.
_DECIDING = (actions.LIVE_MIGRATE.name, actions.EVACUATE.name)


def evacuate(cloud: Cloud, server: str) -> Any:
    return cloud.act(server, "evacuate", {}, token=ADMIN)


def reset(cloud: Cloud, server: str) -> Any:
    return cloud.act(server, "os-resetState", {"state": "active"}, token=ADMIN)


def bereft_amid(call: str, first: Prepare, request: Act, then: Act | None = None) -> Prepare:
    """A server whose host died over the call; ``then`` something is asked for. Its hypervisor is out of sight."""

    def prepare(cloud: Cloud) -> str:
        server = chores.under_way(call, first, request)(cloud)
        home = of.host_of(cloud, server)
        cloud.silence(home)
        cloud.drivers.pop(home)
        for driver in cloud.drivers.values():
            driver.plan.clear()
        if then is not None:
            assert then(cloud, server).status == 202
        return server

    return prepare


def being_evacuated(first: Prepare) -> Prepare:
    """A server whose host is dead, and that is being built on another one just now."""
    return chores.under_way("spawn", of.bereft(first), evacuate)


def failed(first: Prepare) -> Prepare:
    """A server whose host is dead, and whose evacuation failed."""

    def prepare(cloud: Cloud) -> str:
        server = of.failing("spawn", of.bereft(first), ALWAYS)(cloud)
        assert evacuate(cloud, server).status == 200
        _decided(server)
        assert instances.get(server).vm_state == "error"
        return server

    return prepare


def once_decided(cloud: Cloud, server: str) -> Any:
    """Evacuate it once it is known where its guest is."""
    _decided(server)
    return evacuate(cloud, server)


def and_back(request: Act) -> Act:
    """The dead hosts come back when the evacuation is over, and nothing is refused any more."""

    def act(cloud: Cloud, server: str) -> Any:
        try:
            return request(cloud, server)
        finally:
            _decided(server)
            for driver in cloud.drivers.values():
                driver.plan.clear()
            chores.come_back(cloud, server)

    return act


def _decided(server: str) -> None:
    def is_known() -> bool:
        under_way = {each.action for each in operations.open_for_instance(server)}
        return under_way.isdisjoint(_DECIDING) and not arrivals.is_undecided(instances.get(server))

    until(is_known, 30, lambda: str([(each.action, each.host) for each in operations.open_for_instance(server)]))
