"""A live migration whose abort is asked for when its guest has gone: it ends where the guest is, whoever dies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.db.api import migrations, operations
from tests.harness.cloud import ADMIN, Cloud, until
from tests.harness.failpoints import preparations as of

_UNTIL_S = 20


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=2) as running:
        yield running


@pytest.fixture
def cloud(shared: Cloud) -> Iterator[Cloud]:
    yield shared
    shared.make_well("host1", "host2")


class _Gone:
    """The guest of a server with a volume has gone to the other host, and its own waits with the rest of its turn."""

    def __init__(self, cloud: Cloud) -> None:
        self.server = of.with_a_volume(of.booted)(cloud)
        self.source = of.host_of(cloud, self.server)
        self.goes_on = threading.Event()
        gone = threading.Event()
        leave = cloud.drivers[self.source].post_live_migration

        def slow(instance: Any) -> None:
            gone.set()
            self.goes_on.wait(_UNTIL_S)
            leave(instance)

        cloud.drivers[self.source].post_live_migration = slow  # type: ignore[method-assign]
        assert cloud.act(self.server, "os-migrateLive", of.AUTO, token=ADMIN).status == 202
        assert gone.wait(_UNTIL_S)

    def has_moved(self, cloud: Cloud) -> None:
        """Row, guest, volume and move agree on that."""
        until(
            lambda: not operations.open_for_instance(self.server), _UNTIL_S,
            lambda: str([(each.action, each.message) for each in operations.open_for_instance(self.server)]),
        )  # fmt: skip
        (there,) = {*cloud.drivers} - {self.source}
        assert of.host_of(cloud, self.server) == there and cloud.wait(self.server, "ACTIVE")
        assert self.server in cloud.drivers[there].guests
        last = migrations.last_of(self.server)
        assert last is not None and last.status == "completed"
        cloud.wait_quiet()


def test_an_abort_that_comes_when_the_guest_has_gone_changes_nothing(cloud: Cloud) -> None:
    move = _Gone(cloud)
    assert of.abort_migration(cloud, move.server).status == 202
    move.goes_on.set()
    move.has_moved(cloud)


def test_a_source_that_dies_over_a_late_abort_does_not_call_its_guest_back(cloud: Cloud) -> None:
    """Its next life reads the wish before it looks where the guest is."""
    move = _Gone(cloud)
    assert of.abort_migration(cloud, move.server).status == 202
    cloud.kill(move.source)
    move.goes_on.set()
    cloud.start_host(move.source)
    move.has_moved(cloud)


@pytest.mark.parametrize("pause_s", [0.0, 0.02, 0.04])
def test_an_abort_races_the_end_of_a_migration(cloud: Cloud, pause_s: float) -> None:
    """Whatever was first, all of it is on one side, and the move says which."""
    server = of.with_a_volume(of.booted)(cloud)
    source = of.host_of(cloud, server)
    for call, seconds in (("live_migrate_round", 0.005), ("post_live_migration", pause_s)):
        cloud.drivers[source].plan.delay(call, seconds)
    assert cloud.act(server, "os-migrateLive", of.AUTO, token=ADMIN).status == 202
    until(lambda: of._migration(cloud, server) or _is_over(server), _UNTIL_S, lambda: "nothing moves")
    path = of._migration(cloud, server)
    threading.Event().wait(pause_s)
    assert path is None or cloud.delete(path, token=ADMIN).status in (202, 400)
    until(lambda: _is_over(server), _UNTIL_S, lambda: "it never ends")
    last = migrations.last_of(server)
    assert last is not None and last.status in ("completed", "cancelled")
    assert (of.host_of(cloud, server) == source) == (last.status == "cancelled")
    cloud.wait(server, "ACTIVE")
    cloud.wait_quiet()


def _is_over(server: str) -> bool:
    return not operations.open_for_instance(server)
