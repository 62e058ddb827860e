"""Who is alive is watched, not computed from two clocks."""

from __future__ import annotations

import dataclasses
import datetime

import pytest

from nova_lite import liveness
from nova_lite.liveness import Observer
from nova_lite.objects import Service

T0 = datetime.datetime(2026, 1, 1)
HOUR = datetime.timedelta(hours=1)
DOWN_S = 30.0


@dataclasses.dataclass
class World:
    """A service that beats, the database's clock, and the observer's monotonic one (seconds)."""

    now: datetime.datetime = T0
    at: float = 1000.0
    beats: int = 0
    seen: datetime.datetime = T0

    def __post_init__(self) -> None:
        self.observer = Observer()

    def beat(self) -> None:
        self.beats, self.seen = self.beats + 1, self.now

    def passes(self, seconds: float) -> None:
        self.at += seconds
        self.now += datetime.timedelta(seconds=seconds)

    def up(self) -> bool:
        service = Service("u", "h", "b", "t", epoch="e", beats=self.beats, last_seen_at=self.seen)
        return self.observer.is_up(service, DOWN_S, self.now)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(liveness, "monotonic", lambda: made.at)
    return made


def _watched(world: World) -> None:
    for _ in range(5):
        world.beat()
        assert world.up()
        world.passes(3)


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
def test_a_step_of_the_clock_makes_nobody_dead_who_beats(world: World, jump: datetime.timedelta) -> None:
    _watched(world)
    world.now += jump
    assert world.up()
    for _ in range(20):
        world.passes(3)
        world.beat()
        assert world.up()


@pytest.mark.parametrize("jump", [datetime.timedelta(0), HOUR, -HOUR], ids=["none", "forward", "back"])
def test_who_stops_beating_is_down_in_time_whatever_the_clock_does(world: World, jump: datetime.timedelta) -> None:
    _watched(world)
    assert world.up()
    world.now += jump
    stopped_at = world.at - 3
    while world.up():
        world.passes(1)
    assert DOWN_S - 1 <= world.at - stopped_at <= DOWN_S + 4


def test_a_first_look_judges_by_the_databases_clock(world: World) -> None:
    world.passes(31)
    assert not world.up()
    other = World(now=world.now, at=world.at, seen=world.now)
    assert other.up()


def test_who_looks_seldom_does_not_take_an_old_beat_for_a_fresh_one(world: World) -> None:
    assert world.up()
    world.passes(60)
    world.beat()  # and dies at once
    world.passes(3600)
    assert not world.up()


def test_forced_down_and_never_seen_are_down() -> None:
    observer = Observer()
    assert not observer.is_up(Service("u", "h", "b", "t", last_seen_at=T0, forced_down=True), DOWN_S, T0)
    assert not observer.is_up(Service("u", "h", "b", "t"), DOWN_S, T0)


def test_services_that_are_gone_are_forgotten(world: World) -> None:
    assert world.up()
    world.observer.forget([])
    assert not world.observer._seen


def test_who_knows_only_a_time_comes_to_the_same_judgement(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "_observer", world.observer)
    _watched(world)
    world.now += HOUR
    service = Service("u", "h", "b", "t", epoch="e", beats=world.beats, last_seen_at=world.seen)
    assert liveness.as_observed(service, DOWN_S, world.now).last_seen_at == world.now
    world.at += 31
    old = liveness.as_observed(service.replace(last_seen_at=world.now), DOWN_S, world.now)
    assert old.last_seen_at is not None
