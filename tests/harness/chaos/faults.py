"""The table of faults: what chaos does to a world, and for which kinds of worlds."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.harness.chaos.lab_world import BROKER, DATABASE, LabWorld
from tests.harness.chaos.proxy import DOWN, UP
from tests.harness.chaos.world import DOWN_S, LEASE_S, NotHere, World, owner_of

HOUR_S = 3600
# Times that a clock wrote while it was wrong stay in the journal: steps look as if they came in another order.
DISORDER = "has events in disorder"
FILLER = "filler"
WAYS = {"nothing goes up": {UP}, "nothing comes down": {DOWN}, "nothing passes": {UP, DOWN}, "refused": set()}


@dataclass(frozen=True)
class Dice:
    """``chance`` decides; ``patience`` below 1 shortens what lasts long (a smoke has no minute to wait)."""

    chance: random.Random
    patience: float = 1.0

    def within(self, low: float, high: float) -> float:
        return self.chance.uniform(low, high)


@dataclass(frozen=True)
class Fault:
    """``strike`` begins the fault, waits, ends it, and returns a word about what it chose."""

    name: str
    strike: Callable[[World, Dice], str]
    worlds: tuple[str, ...] = ("lab",)


def _lab(world: World) -> LabWorld:
    assert isinstance(world, LabWorld), world
    return world


def _one(world: World, dice: Dice, kind: str = "") -> str:
    """A daemon of that kind; where everything is one process, that one."""
    names = list(world.daemons())
    return dice.chance.choice([name for name in names if kind in name] or names)


# -- processes ------------------------------------------------------------------------------------


def _killed(kind: str) -> Callable[[World, Dice], str]:
    def strike(world: World, dice: Dice) -> str:
        name = _one(world, dice, kind)
        world.kill(name)
        time.sleep(dice.within(0, 3))
        world.revive(name)
        return name

    return strike


def _compute_absent(world: World, dice: Dice) -> str:
    """So long that its servers are evacuated; then it comes back to what was theirs."""
    name = _one(world, dice, "compute")
    world.kill(name)
    time.sleep(DOWN_S * 3)
    world.revive(name)
    return name


def _all_killed(world: World, dice: Dice) -> str:
    world.kill()
    time.sleep(dice.within(0, 2))
    world.revive()
    return "all daemons"


def _power_loss(world: World, dice: Dice) -> str:
    world.kill()
    _lab(world).kill_neighbours()
    _lab(world).start_neighbours()
    world.revive()
    return "all daemons, broker and database"


def _frozen(world: World, dice: Dice) -> str:
    """Long enough that others take over what it holds; then it goes on as if nothing had been."""
    name = _one(world, dice, dice.chance.choice(["compute", "conductor", ""]))
    world.signal(name, signal.SIGSTOP)
    try:
        time.sleep(2 * LEASE_S)
    finally:
        world.signal(name, signal.SIGCONT)
    return name


# -- broker and database --------------------------------------------------------------------------


def _broker_restarts(world: World, dice: Dice) -> str:
    _lab(world).kill_broker()
    _lab(world).start_broker()
    return "kill -9"


def _broker_absent(world: World, dice: Dice) -> str:
    _lab(world).stop_broker()
    time.sleep(60 * dice.patience)
    _lab(world).start_broker()
    return f"{60 * dice.patience:.0f} s"


def _database_restarts(world: World, dice: Dice) -> str:
    lab = _lab(world)
    hard = dice.chance.random() < 0.5
    (lab.kill_database if hard else lab.stop_database)()
    lab.start_database()
    return "kill -9" if hard else "SIGTERM"


def _connections_killed(world: World, dice: Dice) -> str:
    number = 0
    for _ in range(5):
        with contextlib.suppress(Exception):
            number += _lab(world).kill_connections()
        time.sleep(dice.within(0.2, 1))
    return f"{number} connections"


# -- the network ----------------------------------------------------------------------------------


def _commits_unknown(world: World, dice: Dice) -> str:
    proxy = world.proxies[DATABASE]
    before = proxy.spoiled
    proxy.spoils = 0.3
    time.sleep(dice.within(3, 6))
    proxy.heal()
    return f"{proxy.spoiled - before} commits"


def _partitioned(which: str) -> Callable[[World, Dice], str]:
    def strike(world: World, dice: Dice) -> str:
        proxy = world.proxies[which]
        kind = dice.chance.choice(tuple(WAYS))
        ways = proxy.held = frozenset(WAYS[kind])
        if not ways:
            proxy.is_refusing = True
            proxy.cut()
        time.sleep(dice.within(5, 12) * max(dice.patience, 0.6))
        proxy.heal()
        return kind

    return strike


def _slow_database(world: World, dice: Dice) -> str:
    proxy = world.proxies[DATABASE]
    proxy.delay_s = dice.within(0.02, 0.1)
    word = f"{proxy.delay_s * 1000:.0f} ms each way"
    time.sleep(dice.within(4, 8))
    proxy.heal()
    return word


def _compute_partitioned(world: World, dice: Dice) -> str:
    """Longer than it takes to count as down; what it wants to say arrives when it is back."""
    name = _one(world, dice, "compute")
    pid = world.pids()[name]
    known: dict[int, bool] = {}

    def is_its(port: int) -> bool:
        if port not in known:
            known[port] = owner_of(port, [pid]) == pid
        return known[port]

    proxy = world.proxies[BROKER]
    proxy.is_held = is_its
    proxy.held = frozenset({UP, DOWN})
    try:
        time.sleep(DOWN_S * 3)
    finally:
        proxy.heal()
    return name


# -- clocks and disks -----------------------------------------------------------------------------


def _clock_jumps(world: World, dice: Dice) -> str:
    """A daemon's wall clock is an hour wrong for some seconds; its monotonic clock is right."""
    name = _one(world, dice, dice.chance.choice(["compute", "conductor", "scheduler", "api"]))
    file = world.root / f"{name}.clock"
    jump = dice.chance.choice([HOUR_S, -HOUR_S])
    file.write_text("0")
    world.kill(name)
    world.revive(name, clock=file)
    world.wait_ready()
    world.forgiven.add(DISORDER)
    file.write_text(str(jump))
    time.sleep(DOWN_S + 4)
    file.write_text("0")
    return f"{name} {jump:+d} s"


def _disk_full(world: World, dice: Dice) -> str:
    """Not a byte is left on the disk of a host's guests, or of the whole embedded cloud."""
    if not world.small_disks:
        raise NotHere("no small disk could be mounted")
    filler = world.small_disks[0] / FILLER
    try:
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))
        with contextlib.suppress(OSError), filler.open("ab", buffering=0) as file:
            while True:
                file.write(b"x")
        time.sleep(dice.within(5, 8))
    finally:
        filler.unlink(missing_ok=True)
    return str(world.small_disks[0].name)


BOTH = ("lab", "embedded")
FAULTS: tuple[Fault, ...] = (
    Fault("kill-api", _killed("api")),
    Fault("kill-conductor", _killed("conductor")),
    Fault("kill-scheduler", _killed("scheduler")),
    Fault("kill-compute", _killed("compute")),
    Fault("compute-absent", _compute_absent),
    Fault("kill-stand-ins", _killed("embedded")),
    Fault("kill-all", _all_killed, BOTH),
    Fault("power-loss", _power_loss),
    Fault("freeze", _frozen, BOTH),
    Fault("broker-restart", _broker_restarts),
    Fault("broker-absent", _broker_absent),
    Fault("database-restart", _database_restarts),
    Fault("connections-killed", _connections_killed),
    Fault("commit-unknown", _commits_unknown),
    Fault("database-partition", _partitioned(DATABASE)),
    Fault("broker-partition", _partitioned(BROKER)),
    Fault("database-slow", _slow_database),
    Fault("compute-partition", _compute_partitioned),
    Fault("clock-jump", _clock_jumps, BOTH),
    Fault("disk-full", _disk_full, BOTH),
)


def of(world: World, names: tuple[str, ...] = ()) -> list[Fault]:
    """The rows that such a world can have, all or those named.

    :raises ValueError: a name that none has.
    """
    found = [fault for fault in FAULTS if world.name in fault.worlds]
    if unknown := set(names) - {fault.name for fault in found}:
        raise ValueError(f"no such faults here: {sorted(unknown)}; there are {[fault.name for fault in found]}")
    return [fault for fault in found if not names or fault.name in names]


def in_turn(world: World, dice: Dice, names: tuple[str, ...] = ()) -> Iterator[Fault]:
    """For ever: all of them in a random order, then again in another."""
    found = of(world, names)
    while True:
        dice.chance.shuffle(found)
        yield from found

