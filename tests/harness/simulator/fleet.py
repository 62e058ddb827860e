"""The cloud of one trial: daemons that live, die and come again, and the neighbours they ask."""

from __future__ import annotations

import pathlib
import random
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from nova_lite import policy
from nova_lite.api import deploy
from nova_lite.api.openstack.compute import application
from nova_lite.compute import api as compute_api
from nova_lite.compute.manager import ComputeManager
from nova_lite.conductor.manager import ConductorManager
from nova_lite.db import migration, session
from nova_lite.db.api import flavors
from nova_lite.scheduler.manager import SchedulerManager
from nova_lite.service import Service
from nova_lite.virt.fake import FakeDriver
from nova_lite.virt.fault_plan import FaultPlan
from tests.harness.cloud import CONF, USER, Answer, Cloud
from tests.harness.networks import Networks
from tests.harness.simulator.bus import Bus
from tests.harness.simulator.kernel import Kernel, Life
from tests.harness.volumes import Volumes

HOSTS = ("host1", "host2", "host3")
CONDUCTORS = ("conductor1", "conductor2")
SCHEDULER, API = "scheduler", "api"
LEASE_S = 30.0
# The product's defaults, but that what beats beats a little slower: most of a trial's time is its daemons' idling.
OPTIONS: dict[str, dict[str, Any]] = {
    "operations": {
        "heartbeat_interval_s": 10.0, "sweep_interval_s": 10.0, "lease_s": LEASE_S, "service_down_s": 45.0,
        "power_sync_interval_s": 40.0,
    },
    "cinder": {"http_retries": 1, "retry_delay_s": 0.5, "block_device_allocate_retries_interval": 1},
    "quota": {"instances": 12, "cores": 40, "ram": 400_000},
}  # fmt: skip
# A host has room for a few small servers, so that claims meet.
SIZES = (6, 6_000, 100)


class Fleet(Cloud):
    """Made once in the process that all trials begin as, see :meth:`prepare`; each trial then calls :meth:`begin`."""

    def __init__(self) -> None:
        # Relative: each trial stands in a directory of its own.
        super().__init__(pathlib.Path("."), 0, OPTIONS)
        self.lives: dict[str, Life] = {}
        self._numbers: dict[str, int] = {}
        self._stop_s: Callable[[], float] = lambda: 1.0
        self._ready: set[str] = set()
        # Of each host the guests that it had when nobody could reach it: they may run elsewhere before it is back.
        self.left: dict[str, set[str]] = {name: set() for name in HOSTS}

    def prepare(self) -> bytes:
        """Everything that every trial has: the API, the neighbours, an empty database; that database."""
        self._configure()
        self.networks = Networks(CONF)
        self.volumes = Volumes(CONF, self.images)
        session.configure("sqlite:///:memory:")
        migration.sync()
        flavors.seed_defaults()
        policy.init(CONF)
        self.compute = compute_api.API(CONF, self.images, self.networks, self.volumes)
        application.API = lambda conf: self.compute  # type: ignore[attr-defined, misc, assignment]
        self.app = deploy.load_app("osapi_compute", conf=CONF)
        with session.engine().connect() as connection:
            data: bytes = connection.connection.driver_connection.serialize()  # type: ignore[union-attr]
        return data

    def begin(self, kernel: Kernel, bus: Bus, database: bytes, strike: Callable[[str], None]) -> None:
        """A world of its own for one trial; ``strike`` hears of each call of a neighbour."""
        self.kernel, self.bus = kernel, bus
        bus.install(CONF)
        with session.engine().connect() as connection:
            connection.connection.driver_connection.deserialize(database)  # type: ignore[union-attr]
        self.watch = lambda driver: _Watched(driver, strike)
        self._strike = strike
        self.images.plan = _Plan("image", strike)
        self.networks.plan = self.networks.neutron.plan = _Plan("network", strike)
        self.volumes.plan = _Plan("volume", strike)
        self.networks.neutron.send = _echoed(self.networks.neutron.send, "network", strike)  # type: ignore[method-assign]
        for name in (*CONDUCTORS, SCHEDULER, *HOSTS, API):
            self.come(name)

    # -- daemons ----------------------------------------------------------------------------------

    def come(self, name: str, delay_s: float = 0.0) -> None:
        """A daemon begins a life, after so many seconds; one that has a life already keeps it."""
        kernel = self.kernel

        def begin() -> None:
            kernel.sleep(delay_s)
            present = self.lives.get(name)
            if present is not None and present.alive:
                return
            self._numbers[name] = self._numbers.get(name, 0) + 1
            life = self.lives[name] = Life(name, self._numbers[name])
            life.when_killed += [lambda: self._ready.discard(name), lambda: self.leave(name)]
            kernel.spawn(lambda: self._live(name, life), "starts", life=life)

        kernel.spawn(begin, f"supervisor of {name}", life=_SUPERVISOR)

    def _live(self, name: str, life: Life) -> None:
        if name == API:
            self._ready.add(name)
            return
        try:
            service = self._service(name)
            service.start()
        except Exception as error:
            self.kernel.note(f"{life} could not start: {error}")
            self.come(name, 5.0)
            self.kernel.kill(life)
            return
        self.services[name] = service
        self._ready.add(name)

    def _service(self, name: str) -> Service:
        if name in CONDUCTORS:
            manager = ConductorManager(name, CONF, self.images, self.networks, self.volumes)
            return Service("nova-lite-conductor", "conductor", manager, name)
        if name == SCHEDULER:
            return Service("nova-lite-scheduler", "scheduler", SchedulerManager(name, CONF), name)
        plan = _Plan("inside", self._strike, "live_migrate_round")
        driver = _Hypervisor(self, name, plan, SIZES, self.directory / name)
        host = ComputeManager(name, CONF, self.watch(driver), self.images, self.networks, self.volumes)
        return Service("nova-lite-compute", "compute", host, name)

    def is_whole(self) -> bool:
        """Every daemon lives and serves."""
        return len(self._ready) == len(HOSTS) + len(CONDUCTORS) + 2

    def leave(self, name: str) -> None:
        """A daemon stops, or cannot be reached: whoever it served may be served elsewhere from now on."""
        if name in self.drivers:
            self.left[name].update(self.drivers[name].guests)

    # -- requests ---------------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: Any = None, token: str = USER, **options: Any) -> Answer | None:
        """A client's request; None when the answer never comes, because nobody listens or the API died over it."""
        life, me, answers = self.lives[API], self.kernel.current, []
        assert me is not None
        if not life.alive:
            return None

        def work() -> None:
            answers.append(self.request(method, path, body, token, **options))
            self.kernel.wake(me)

        life.when_killed.append(lambda: self.kernel.wake(me))
        self.kernel.spawn(work, f"{method} {path}", life=life)
        self.kernel.block(900.0)
        return answers[0] if answers else None


_SUPERVISOR = Life("supervisor")


class _Hypervisor(FakeDriver):
    """Takes its predecessor's place when it has read what that one left."""

    def __init__(self, fleet: Fleet, name: str, *args: Any) -> None:
        super().__init__(name, *args)
        self._fleet = fleet

    def init_host(self) -> None:
        super().init_host()
        self._fleet.drivers[self.hostname] = self


# Looking around changes nothing.
_LOOKS = frozenset(
    {"init_host", "close", "inventory", "list_guests", "find_guest", "list_disks", "list_incoming",
     "list_set_aside", "register_event_listener", "check_health", "power_state", "console_output", "console_endpoint",
     "diagnostics"}
)  # fmt: skip


class _Watched:
    """A driver each of whose calls may be the last."""

    def __init__(self, driver: FakeDriver, strike: Callable[[str], None]) -> None:
        self._driver = driver
        self._strike = strike

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._driver, name)
        if not callable(found) or name in _LOOKS:
            return found

        def watched(*args: Any, **kwargs: Any) -> Any:
            self._strike(f"driver.{name}.before")
            answer = found(*args, **kwargs)
            self._strike(f"driver.{name}.after")
            return answer

        return watched


class _Plan(FaultPlan):
    """What may go wrong in a neighbour is decided by the seed, not by rules."""

    def __init__(self, name: str, struck: Callable[[str], None], only: str | None = None) -> None:
        super().__init__(lambda seconds: None)
        self._name = name
        self._struck = struck
        self._only = only

    def strike(self, call: str, uuid: str | None) -> None:
        if self._only in (None, call):
            self._struck(f"{self._name}.{call}")


def _echoed(send: Callable[..., Any], name: str, struck: Callable[[str], None]) -> Callable[..., Any]:
    """What is done at a neighbour may be done without its caller's hearing of it."""

    def sent(ctxt: Any, method: str, path: str, **options: Any) -> Any:
        answer = send(ctxt, method, path, **options)
        struck(f"{name}.answer {method}")
        return answer

    return sent


def seeded_ids(seed: int) -> Callable[[], uuid.UUID]:
    """uuid4 of this world. They come from a generator of their own: how many are made decides nothing else."""
    source = random.Random(f"ids of {seed}")
    return lambda: uuid.UUID(int=source.getrandbits(128), version=4)


def options_of(values: Mapping[str, Mapping[str, Any]]) -> None:
    """Set options for this trial only."""
    for group, names in values.items():
        for name, value in names.items():
            CONF.set_override(name, value, None if group == "DEFAULT" else group)
