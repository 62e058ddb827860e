"""What goes wrong in a trial, chosen by its seed: of all kinds a few, some often, some once."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import DBAPIError, OperationalError

from nova_lite import exception
from nova_lite.db import session
from nova_lite.db.transaction import Transaction
from tests.harness.simulator.bus import Weather
from tests.harness.simulator.fleet import API, CONDUCTORS, HOSTS, LEASE_S, SCHEDULER, Fleet
from tests.harness.simulator.kernel import Kernel, Life

DAEMONS = (*HOSTS, *CONDUCTORS, SCHEDULER, API)


@dataclass
class Profile:
    """Chances at one point that somebody passes, and what happens by itself during the storm."""

    kill: float = 0.0
    hang: float = 0.0
    fail: float = 0.0
    slow: float = 0.0
    weather: Weather = field(default_factory=Weather)
    events: tuple[str, ...] = ()
    skew: bool = False


EVENTS = (
    "kill", "freeze", "power loss", "cut off", "broker away", "database away", "clock jumps", "all casts lost",
    "restart in order", "disk full", "neighbours away",
)  # fmt: skip


def choose(random: Any) -> Profile:
    """Not all at once: what two kinds of faults do together shows best where the others are silent."""

    def sometimes(value: float) -> float:
        return value * random.choice((0.3, 1.0, 2.0)) if random.random() < 0.5 else 0.0

    weather = Weather(lost=sometimes(0.08), repeated=sometimes(0.08), late=sometimes(0.1))
    weather.usual_s = random.choice((0.005, 0.05, 0.5))
    weather.late_s = random.choice((5.0, 40.0, 40.0, 3600.0))
    kinds = random.sample(EVENTS, random.randint(0, 4))
    return Profile(
        sometimes(0.003), sometimes(0.002), sometimes(0.006), sometimes(0.006), weather, tuple(kinds),
        random.random() < 0.15,
    )  # fmt: skip


class Faults:
    """``hit`` is the failpoints' hook, and a point at which tasks change places; ``watch`` looks at each point."""

    def __init__(self, kernel: Kernel, fleet: Fleet, profile: Profile, watch: Callable[[str], None]) -> None:
        self._kernel = kernel
        self._fleet = fleet
        self._random = kernel.random
        self._watch = watch
        self.profile = profile
        self.counts: Counter[str] = Counter()
        self.active = False
        # Told to end in order, and perhaps still at it.
        self.stopping: set[Life] = set()
        self._database_down = self._neighbours_down = False
        # Hosts whose driver does nothing any more and says so.
        self._full: set[str] = set()
        _break_transactions(lambda: self._database_down)

    # -- at points --------------------------------------------------------------------------------

    def hit(self, point: str) -> None:
        kernel = self._kernel
        if kernel.current is None:
            return
        kernel.note(point)
        self._watch(point)
        if self.active and kernel.current.life.name in DAEMONS:
            self._strike(point, kernel.current.life)
        if not session.in_transaction():
            kernel.pause()

    def _strike(self, point: str, life: Life) -> None:
        room = point.partition(".")[0]
        if (room == "driver" and life.name in self._full) or (room in _NEIGHBOURS and self._neighbours_down):
            self._fail(point, life)
        profile, chance = self.profile, self._random.random()
        for kind in ("kill", "hang", "fail", "slow"):
            chance -= getattr(profile, kind)
            if chance < 0:
                getattr(self, f"_{kind}")(point, life)
                return

    def _kill(self, point: str, life: Life) -> None:
        self._count("kill", f"at {point}")
        if session.in_transaction():
            _drop_transaction()
        self.kill(life)

    def kill(self, life: Life) -> None:
        """The daemon comes again, after a while."""
        away = (0.5, 5.0) if life.name == API else (0.5, 5.0, 45.0, 100.0)
        self._fleet.come(life.name, self._random.choice(away))
        self._kernel.kill(life)

    def _hang(self, point: str, life: Life) -> None:
        if not session.in_transaction():
            self._count("hang", f"at {point}")
            self._kernel.sleep(self._random.uniform(0.5, 3.0) * LEASE_S)

    def _slow(self, point: str, life: Life) -> None:
        if not session.in_transaction():
            self._count("slow", f"at {point}")
            self._kernel.sleep(self._random.uniform(0.1, 5.0))

    def _fail(self, point: str, life: Life) -> None:
        kind, _, _ = point.partition(".")
        error = _ERRORS.get(kind)
        # Who starts is tried again by its supervisor; casts never fail.
        if error is not None and not (point == "db.before_commit" and not session.in_transaction()):
            self._count(f"{kind} fails", f"at {point}")
            raise error(point)

    def _count(self, kind: str, where: str = "") -> None:
        self.counts[kind] += 1
        self._kernel.note(f"FAULT {kind} {where}")

    # -- by themselves ----------------------------------------------------------------------------

    def storm(self, seconds: float) -> None:
        """For so long everything may go wrong; a task of its own."""
        self.active = True
        self._fleet.bus.weather = self.profile.weather
        if self.profile.skew:
            self._count("clocks differ")
            for life in self._fleet.lives.values():
                life.skew = self._random.uniform(-10.0, 10.0)
        for kind in self.profile.events:
            self._kernel.spawn(lambda kind=kind: self._some_time(kind, seconds), kind, life=_NATURE)  # type: ignore
        self._kernel.sleep(seconds)
        self.calm()

    def _some_time(self, kind: str, seconds: float) -> None:
        for _ in range(self._random.randint(1, 3)):
            self._kernel.sleep(self._random.uniform(0.0, seconds / 2))
            if not self.active:
                return
            self._count(kind)
            getattr(self, "_" + kind.replace(" ", "_") + "_event")()

    def calm(self) -> None:
        """Nothing goes wrong any more, and whoever is dead comes again. What is late comes late all the same."""
        self._kernel.note("CALM")
        self.active = self._database_down = self._neighbours_down = False
        self._full.clear()
        self._fleet.bus.weather = Weather(usual_s=0.01)
        self._fleet.bus.cut.clear()
        self._set_broker(True)
        for name, life in self._fleet.lives.items():
            if not life.alive:
                self._fleet.come(name)

    def _someone(self) -> Life:
        return self._fleet.lives[self._random.choice(DAEMONS)]

    def _kill_event(self) -> None:
        life = self._someone()
        if life.alive:
            self.kill(life)

    def _freeze_event(self) -> None:
        frozen = self._someone()
        self._fleet.leave(frozen.name)
        self._kernel.freeze(frozen, self._random.uniform(0.5, 3.0) * LEASE_S)

    def _power_loss_event(self) -> None:
        for name in DAEMONS:
            if self._fleet.lives[name].alive:
                self.kill(self._fleet.lives[name])

    def _cut_off_event(self) -> None:
        name = self._random.choice(HOSTS)
        self._fleet.bus.cut.add(name)
        self._fleet.leave(name)
        self._kernel.sleep(self._random.choice((5.0, 35.0, 90.0)))
        self._fleet.leave(name)
        self._fleet.bus.cut.discard(name)

    def _broker_away_event(self) -> None:
        self._set_broker(False)
        self._kernel.sleep(self._random.choice((5.0, 60.0)))
        self._set_broker(True)

    def _set_broker(self, there: bool) -> None:
        for host in HOSTS:
            self._fleet.leave(host)
        self._fleet.bus.down = not there
        if there:
            self._fleet.bus.deliver_kept()

    def _database_away_event(self) -> None:
        self._database_down = True
        self._kernel.sleep(self._random.choice((1.0, 20.0, 60.0)))
        for host in HOSTS:
            self._fleet.leave(host)
        self._database_down = False

    def _disk_full_event(self) -> None:
        """Whatever the driver of a host is asked to do fails, what undoes something else included."""
        name = self._random.choice(HOSTS)
        self._full.add(name)
        self._kernel.sleep(self._random.choice((1.0, 10.0, 60.0)))
        self._full.discard(name)

    def _neighbours_away_event(self) -> None:
        self._neighbours_down = True
        self._kernel.sleep(self._random.choice((1.0, 10.0, 60.0)))
        self._neighbours_down = False

    def _clock_jumps_event(self) -> None:
        self._kernel.skew += self._random.choice((-120.0, -30.0, 30.0, 600.0, 3600.0))

    def _all_casts_lost_event(self) -> None:
        weather = self._fleet.bus.weather
        self._fleet.bus.weather = Weather(0.0, 0.0, 0.0, weather.usual_s, weather.late_s, casts_lost=True)
        self._kernel.sleep(60.0)
        if self.active:
            self._fleet.bus.weather = weather

    def _restart_in_order_event(self) -> None:
        name = self._random.choice((*HOSTS, *CONDUCTORS, SCHEDULER))
        life, service = self._fleet.lives[name], self._fleet.services.get(name)
        if not life.alive or service is None:
            return
        self.stopping.add(life)
        self._kernel.spawn(lambda: self._stop(life, service), "stops", life=life)

    def _stop(self, life: Life, service: Any) -> None:
        service.stop(30.0)
        self._fleet.come(life.name, 1.0)
        self._kernel.kill(life)

    def is_over(self) -> bool:
        """Whether nobody is still on the way to a restart: one that hangs may take minutes for it."""
        return not any(life.alive for life in self.stopping)


_NATURE = Life("nature")
_NEIGHBOURS = ("image", "network", "volume")

_ERRORS: dict[str, Callable[[str], Exception]] = {
    "db": lambda point: exception.DatabaseUnavailable(),
    "call": lambda point: exception.BrokerUnavailable(reason=point),
    "driver": lambda point: exception.NovaLiteError(f"{point} fails"),
    "image": lambda point: exception.Unavailable(f"{point} fails"),
    "network": lambda point: exception.Unavailable(f"{point} fails"),
    "volume": lambda point: exception.NovaLiteError(f"{point} fails"),
}


def _drop_transaction() -> None:
    """What the database does when its client dies."""
    database = session.database()
    dying = database.local.session
    with contextlib.suppress(DBAPIError):
        dying.rollback()
    dying.close()
    database.local.session = None
    if database.local.writes and database.gate is not None:
        database.gate.release()


_begin = Transaction.connection


def _break_transactions(is_down: Callable[[], bool]) -> None:
    """While it says so, no transaction begins: the error is what a driver without a server raises."""

    def connection(self: Transaction) -> Any:
        if is_down():
            raise OperationalError(None, None, ConnectionRefusedError("the database is away"))
        return _begin(self)

    Transaction.connection = connection  # type: ignore[method-assign]
