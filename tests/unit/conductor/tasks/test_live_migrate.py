"""When a live migration may choose where its guest goes."""

from __future__ import annotations

import pytest

from nova_lite.conductor import resets
from nova_lite.conductor.tasks import live_migrate
from nova_lite.db.api import instances
from tests.harness.database import make_instance

pytestmark = pytest.mark.usefixtures("database")


def test_it_waits_while_volumes_are_bound_to_the_servers_host_again() -> None:
    """Who binds them gives up what else is held for the server: what a destination had made ready was gone."""
    server = instances.insert(make_instance(host="a", node="a"))
    assert not live_migrate._volumes_change(server)
    resets.let_go(server)
    assert not live_migrate._volumes_change(server)
    resets.bring_back(server)
    assert live_migrate._volumes_change(server)
