"""Two fake hypervisors: a guest that goes over is on one of them, whoever fails or is started anew when."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterator

import pytest

from nova_lite import exception
from nova_lite.compute.power_states import PowerState
from nova_lite.objects import Flavor, Instance
from nova_lite.virt.fake import FakeDriver
from nova_lite.virt.fake.live_migration import ROUNDS
from nova_lite.virt.fault_plan import FaultKind, FaultPlan, FaultRule

SERVER = Instance("u1", "p", "u", "web", "active", Flavor("1", "f", 1, 64, 1), generation=3)
ARRIVING = SERVER.replace(generation=4)


def _driver(directory: pathlib.Path, name: str) -> FakeDriver:
    driver = FakeDriver(name, FaultPlan(lambda _: None), (4, 1024, 10), directory / name)
    driver.init_host()
    return driver


@pytest.fixture
def pair(tmp_path: pathlib.Path) -> Iterator[tuple[FakeDriver, FakeDriver]]:
    """The source, where the guest runs, and the destination."""
    source, dest = _driver(tmp_path, "source"), _driver(tmp_path, "dest")
    source.create_disks(None, SERVER)
    source.spawn(SERVER, ())
    yield source, dest
    source.close()
    dest.close()


def _go(source: FakeDriver, report: Callable[[dict[str, int]], None] = lambda numbers: None) -> None:
    source.live_migrate(SERVER, "dest", {}, report)


def _where(*drivers: FakeDriver) -> list[str]:
    return [driver.hostname for driver in drivers if SERVER.uuid in driver.guests]


def test_a_guest_goes_over_as_it_is(pair: tuple[FakeDriver, FakeDriver]) -> None:
    source, dest = pair
    source.pause(SERVER)
    said: list[dict[str, int]] = []
    for _ in range(2):  # again changes nothing
        dest.pre_live_migration(ARRIVING, (), {})
        _go(source, said.append)
        source.post_live_migration(SERVER)
    guest = dest.guests["u1"]
    assert (guest.power_state, guest.generation) == (PowerState.PAUSED, 4)
    assert (_where(source, dest), source.disks, dest.incoming) == (["dest"], set(), {})
    assert [numbers["memory_processed_bytes"] for numbers in said] == [
        64 * 1024 * 1024 * done // ROUNDS for done in range(ROUNDS + 1)
    ]


@pytest.mark.parametrize("call", ["live_migrate", "live_migrate_round"])
def test_a_failure_leaves_the_guest_where_it_was(pair: tuple[FakeDriver, FakeDriver], call: str) -> None:
    source, dest = pair
    dest.pre_live_migration(ARRIVING, (), {})
    source.plan.add(FaultRule(call, FaultKind.RAISE, 1))
    with pytest.raises(exception.NovaLiteError):
        _go(source)
    assert _where(source, dest) == ["source"]
    assert dest.rollback_live_migration(ARRIVING) is True
    assert (dest.disks, dest.incoming) == (set(), {})


@pytest.mark.parametrize("comes", ["spawn", "finish_migration"])
def test_who_came_otherwise_is_not_expected_any_more(
    pair: tuple[FakeDriver, FakeDriver], tmp_path: pathlib.Path, comes: str
) -> None:
    source, dest = pair
    dest.pre_live_migration(ARRIVING, (), {})
    if comes == "spawn":
        dest.spawn(ARRIVING, ())
    else:
        disks = source.migrate_disk_and_power_off(SERVER, "dest", None, SERVER.flavor)
        dest.finish_migration(ARRIVING, (), disks, True)
    dest.close()
    assert dest.list_incoming() == _driver(tmp_path, "dest").list_incoming() == frozenset()


def test_nobody_goes_where_nothing_is_ready(pair: tuple[FakeDriver, FakeDriver]) -> None:
    source, dest = pair
    with pytest.raises(exception.HypervisorUnavailable):
        _go(source)
    dest.pre_live_migration(ARRIVING, (), {})
    dest.close()
    with pytest.raises(exception.HypervisorUnavailable):
        _go(source)
    assert _where(source, dest) == ["source"]


def test_a_rollback_that_is_quicker_stops_the_source(pair: tuple[FakeDriver, FakeDriver]) -> None:
    source, dest = pair
    dest.pre_live_migration(ARRIVING, (), {})

    def report(numbers: dict[str, int]) -> None:
        if numbers["memory_remaining_bytes"] == 0:
            assert dest.rollback_live_migration(ARRIVING) is True

    with pytest.raises(exception.HypervisorUnavailable):
        _go(source, report)
    assert _where(source, dest) == ["source"]


def test_a_rollback_that_is_late_says_so(pair: tuple[FakeDriver, FakeDriver]) -> None:
    source, dest = pair
    dest.pre_live_migration(ARRIVING, (), {})
    _go(source)
    assert dest.rollback_live_migration(ARRIVING) is False
    assert _where(source, dest) == ["dest"]


def test_an_abort_and_a_force(pair: tuple[FakeDriver, FakeDriver]) -> None:
    source, dest = pair
    dest.pre_live_migration(ARRIVING, (), {})
    with pytest.raises(exception.LiveMigrationAborted):
        _go(source, lambda numbers: source.abort_live_migration(SERVER))
    assert _where(source, dest) == ["source"]
    said: list[dict[str, int]] = []

    def force(numbers: dict[str, int]) -> None:
        said.append(numbers)
        source.force_complete_live_migration(SERVER)

    _go(source, force)
    assert (_where(source, dest), len(said)) == (["dest"], 1)
    source.abort_live_migration(SERVER)  # too late is no error


def test_an_error_of_the_report_ends_it(pair: tuple[FakeDriver, FakeDriver]) -> None:
    source, dest = pair
    dest.pre_live_migration(ARRIVING, (), {})

    def overtaken(numbers: dict[str, int]) -> None:
        raise exception.StaleWrite(what="it")

    with pytest.raises(exception.StaleWrite):
        _go(source, overtaken)
    assert _where(source, dest) == ["source"]


def test_what_was_made_ready_and_who_has_come_outlive_the_process(
    pair: tuple[FakeDriver, FakeDriver], tmp_path: pathlib.Path
) -> None:
    source, dest = pair
    dest.pre_live_migration(ARRIVING, (), {})
    again = _driver(tmp_path, "dest")
    assert again.incoming == {"u1": 4}
    _go(source)
    assert _where(source, dest, again) == ["dest"]  # both are called so: it is the newer one
    assert SERVER.uuid in again.guests
    assert _driver(tmp_path, "dest").guests["u1"].generation == 4
    assert _driver(tmp_path, "source").guests == {}


def test_a_hypervisor_that_was_started_anew_sends_nothing_of_its_former_life(
    pair: tuple[FakeDriver, FakeDriver], tmp_path: pathlib.Path
) -> None:
    source, dest = pair
    dest.pre_live_migration(ARRIVING, (), {})
    anew = _driver(tmp_path, "source")
    with pytest.raises(exception.ServiceStopping):
        _go(source)
    assert (_where(anew), _where(dest)) == (["source"], [])
    anew.close()
