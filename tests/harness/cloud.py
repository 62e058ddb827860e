"""The whole cloud in one process: the API through its Paste pipeline, conductor, scheduler, N fake hosts, SQLite.

    with Cloud(directory, hosts=2) as cloud:
        server = cloud.boot()
        cloud.post(f"/servers/{server['id']}/action", {"os-stop": None})

Messages go through oslo.messaging's rabbit driver on kombu's in-memory transport, as in the embedded profile. One cloud
is shared by a module of tests: starting and stopping it takes longer than using it.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any

import webob
from oslo_config import cfg

from nova_lite import concurrency, exception, policy, rpc
from nova_lite import conf as nova_conf
from nova_lite.api import deploy
from nova_lite.clock import utcnow
from nova_lite.compute.manager import ComputeManager
from nova_lite.conductor.manager import ConductorManager
from nova_lite.context import RequestContext
from nova_lite.db import migration, session
from nova_lite.db.api import flavors, services
from nova_lite.image.api import API as ImageAPI
from nova_lite.liveness import COMPUTE
from nova_lite.objects import ImageMeta
from nova_lite.scheduler.manager import SchedulerManager
from nova_lite.service import Service
from nova_lite.virt.fake import FakeDriver
from nova_lite.virt.fault_plan import FaultPlan
from tests.harness import oracle
from tests.harness.networks import Networks
from tests.harness.volumes import Volumes

CONF = nova_conf.CONF
IMAGE_ID = "70a599e0-31e7-49b7-b260-868f441e862b"
# The contract's samples have their project in the path; it is 32 hexadecimal digits there too.
PROJECT = "6f70656e737461636b20342065766572"
USER = f"demo:{PROJECT}"
ADMIN = f"admin:{PROJECT}"
# Who has USER's token, as the clients of other services see it.
CTXT = RequestContext(user_id="demo", project_id=PROJECT, roles=["member", "reader"], overwrite=False)
STRANGER = "mallory:0123456789abcdef0123456789abcdef"

_OPTIONS: dict[str, dict[str, Any]] = {
    "DEFAULT": {"graceful_shutdown_timeout": 5},
    "api": {"auth_strategy": "noauth2"},
    # On a busy machine a living host is silent for two seconds now and then, and its servers must find their place.
    "operations": {
        "heartbeat_interval_s": 0.3, "sweep_interval_s": 0.3, "lease_s": 3.0, "service_down_s": 6.0,
        "power_sync_interval_s": 1.0, "audit_interval_s": 0,
    },
    "cinder": {"http_retries": 1, "retry_delay_s": 0.01, "block_device_allocate_retries_interval": 0.02},
    "spice": {"enabled": True},
    "serial_console": {"enabled": True},
    "mks": {"enabled": True},
    "quota": {"instances": 1000, "cores": 4000, "ram": 4_000_000},
}  # fmt: skip


class Images(ImageAPI):
    """An image service that has what it is given. ``plan`` strikes its verbs as a driver's does."""

    def __init__(self) -> None:
        tiny = ImageMeta(id=IMAGE_ID, name="tiny", disk_format="raw", container_format="bare", size=1)
        self.images = {IMAGE_ID: tiny}
        self.data: dict[str, bytes] = {}
        self.plan = FaultPlan(concurrency.sleep)

    def get(self, ctxt: RequestContext | None, image_id: str) -> ImageMeta:
        try:
            return self.images[image_id]
        except KeyError:
            raise exception.ImageNotFound(image_id=image_id) from None

    def list(self, ctxt: RequestContext | None, **filters: str) -> list[ImageMeta]:
        """Only custom properties filter here."""
        return [image for image in [*self.images.values()] if filters.items() <= image.properties.items()]

    def create(
        self, ctxt: RequestContext | None, image_id: str, name: str, properties: Mapping[str, str],
        min_disk: int = 0, min_ram: int = 0,
    ) -> ImageMeta:  # fmt: skip
        self.plan.strike("create", image_id)
        made = ImageMeta(
            id=image_id, name=name, status="queued", properties=dict(properties), min_disk=min_disk, min_ram=min_ram,
            owner=ctxt.project_id if ctxt else None, created_at=utcnow(),
        )  # fmt: skip
        return self.images.setdefault(image_id, made)

    def upload(self, ctxt: RequestContext | None, image_id: str, file: IO[bytes], disk_format: str) -> ImageMeta:
        self.plan.strike("upload", image_id)
        found = self.get(ctxt, image_id)
        if found.status == "queued":
            self.data[image_id] = file.read()
            full = {"status": "active", "disk_format": disk_format, "container_format": "bare"}
            self.images[image_id] = found.replace(**full, size=len(self.data[image_id]))
        return self.images[image_id]

    def update(self, ctxt: RequestContext | None, image_id: str, properties: Mapping[str, str]) -> None:
        found = self.get(ctxt, image_id)
        self.images[image_id] = found.replace(properties={**found.properties, **properties})

    def delete(self, ctxt: RequestContext | None, image_id: str) -> bool:
        self.plan.strike("delete", image_id)
        self.data.pop(image_id, None)
        return self.images.pop(image_id, None) is not None

    def url(self, ctxt: RequestContext | None, image_id: str) -> str:
        return f"http://127.0.0.1:9292/images/{image_id}"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


class Cloud:
    """``options``: {group: {name: value}} over the fixture's own, which make everything quick."""

    def __init__(
        self, directory: pathlib.Path, hosts: int = 1, options: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        self.directory = directory
        self.images = Images()
        self.drivers: dict[str, FakeDriver] = {}
        self.services: dict[str, Service] = {}
        self._names = [f"host{number + 1}" for number in range(hosts)]
        self._options = options or {}
        self.app: Any = None
        # What stands between a host and its driver; a test may put something there before hosts start.
        self.watch: Callable[[FakeDriver], Any] = lambda driver: driver

    # -- life -------------------------------------------------------------------------------------

    def __enter__(self) -> Cloud:
        self._configure()
        self.networks = Networks(CONF)
        self.volumes = Volumes(CONF, self.images)
        session.configure(f"sqlite:///{self.directory}/nova.sqlite")
        migration.sync()
        flavors.seed_defaults()
        rpc.init(CONF, "kombu+memory:///")
        policy.init(CONF)
        self.start_conductor()
        self.start_scheduler()
        for name in self._names:
            self.start_host(name)
        from nova_lite.api.openstack.compute import application
        from nova_lite.compute import api as compute_api

        self.compute = compute_api.API(CONF, self.images, self.networks, self.volumes)
        self._original, application.API = application.API, lambda conf: self.compute  # type: ignore[attr-defined, misc, assignment]
        self.app = deploy.load_app("osapi_compute", conf=CONF)
        return self

    def __exit__(self, *_: object) -> None:
        from nova_lite.api.openstack.compute import application

        application.API = self._original  # type: ignore[attr-defined]
        stops = [concurrency.spawn(service.stop, 3.0) for service in self.services.values()]
        for stop in stops:
            stop.wait(10)
        rpc.cleanup()
        session.dispose()
        CONF.reset()
        for group, names in self._merged().items():
            for name in names:
                CONF.clear_override(name, None if group == "DEFAULT" else group)

    def _merged(self) -> dict[str, dict[str, Any]]:
        merged = {group: dict(values) for group, values in _OPTIONS.items()}
        for group, values in self._options.items():
            merged.setdefault(group, {}).update(values)
        merged["DEFAULT"]["state_path"] = str(self.directory)
        return merged

    def _configure(self) -> None:
        nova_conf.register_all(CONF)
        # Another test may have loaded the token check, whose plugin calls its auth_url required.
        with contextlib.suppress(cfg.RequiredOptError):
            CONF([], project="nova-lite", default_config_files=[], default_config_dirs=[])
        for group, values in self._merged().items():
            for name, value in values.items():
                CONF.set_override(name, value, None if group == "DEFAULT" else group)

    # -- services ---------------------------------------------------------------------------------

    def start_conductor(self, name: str = "conductor", memory: pathlib.Path | None = None) -> None:
        manager = ConductorManager(name, CONF, self.images, self.networks, self.volumes, memory)
        self._start(name, Service("nova-lite-conductor", "conductor", manager, name))

    def start_scheduler(self, name: str = "scheduler") -> None:
        self._start(name, Service("nova-lite-scheduler", "scheduler", SchedulerManager(name, CONF), name))

    def start_host(self, name: str, sizes: tuple[int, int, int] = (1000, 8_000_000, 600_000)) -> FakeDriver:
        """Start a host, or start it again: its guests are where they were."""
        driver = FakeDriver(name, FaultPlan(concurrency.sleep), sizes, self.directory / name)
        self.drivers[name] = driver
        manager = ComputeManager(name, CONF, self.watch(driver), self.images, self.networks, self.volumes)
        self._start(name, Service("nova-lite-compute", "compute", manager, name))
        return driver

    def stop(self, name: str) -> None:
        """Stop a service in order."""
        self.services.pop(name).stop(5.0)

    def kill(self, name: str) -> None:
        """As kill -9 would: the service's words reach nobody from now on, and what it was doing stays half done.

        A thread cannot be killed; it is cut off from the conductor instead, and undoes nothing.
        """
        service = self.services.pop(name)
        manager = service.manager
        manager.pre_stop()
        if isinstance(manager, ComputeManager):
            manager._host.conductor._rpcapi = _Nobody()  # type: ignore[assignment]
        service._stopping.set()
        service._stop_server()

    def silence(self, *names: str) -> None:
        """Kill hosts, and say as an operator would that they are dead: nobody waits for their heartbeats."""
        for name in names:
            self.kill(name)
            services.set_forced_down(services.get_by_host(name, COMPUTE).uuid, True)

    def revive(self, name: str) -> FakeDriver:
        """Start a silenced host again, and say so."""
        driver = self.start_host(name)
        services.set_forced_down(services.get_by_host(name, COMPUTE).uuid, False)
        return driver

    def _start(self, name: str, service: Service) -> None:
        service.start()
        self.services[name] = service

    # -- requests ---------------------------------------------------------------------------------

    def request(
        self, method: str, path: str, body: Any = None, token: str | None = USER, version: str | None = "2.104",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        """One request; a ``path`` that does not name an endpoint is below /v2.1."""
        full = path if path.startswith(("/v2", "/healthcheck")) or path == "/" else f"/v2.1{path}"
        req = webob.Request.blank(full, method=method, base_url="http://127.0.0.1:8774")
        if token is not None:
            req.headers["X-Auth-Token"] = token
        if version is not None:
            req.headers["OpenStack-API-Version"] = f"compute {version}"
        if body is not None:
            req.body = body if isinstance(body, bytes) else json.dumps(body).encode()
            req.headers["Content-Type"] = "application/json"
        req.headers.update(headers or {})
        response = req.get_response(self.app)
        return Answer(response.status_code, response.headers, response.body)

    def get(self, path: str, **kwargs: Any) -> Answer:
        return self.request("GET", path, **kwargs)

    def post(self, path: str, body: Any, **kwargs: Any) -> Answer:
        return self.request("POST", path, body, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> Answer:
        return self.request("DELETE", path, **kwargs)

    def boot(self, wait: str | None = "ACTIVE", token: str = USER, **server: Any) -> dict[str, Any]:
        """Create a server and wait until it has the status; what the API shows of it then."""
        body = {"name": "web", "imageRef": IMAGE_ID, "flavorRef": "42", "networks": "auto", **server}
        answer = self.post("/servers", {"server": body}, token=token)
        assert answer.status == 202, answer.body
        server_id = answer.json["server"]["id"]
        return self.wait(server_id, wait) if wait else dict(answer.json["server"])

    def act(self, server_id: str, action: str, body: Any = None, **kwargs: Any) -> Answer:
        return self.post(f"/servers/{server_id}/action", {action: body}, **kwargs)

    def delete_servers(self) -> None:
        """Every server of every project is deleted, and gone."""
        for server in self.get("/servers?all_tenants=1", token=ADMIN).json["servers"]:
            self.delete(f"/servers/{server['id']}", token=ADMIN)
            self.wait_gone(server["id"])

    def set_host(self, host: str, **values: Any) -> None:
        """Change its compute service as an operator does: ``status``, ``forced_down``."""
        (service,) = self.get(f"/os-services?binary=nova-compute&host={host}", token=ADMIN).json["services"]
        answer = self.request("PUT", f"/os-services/{service['id']}", values, token=ADMIN)
        assert answer.status == 200, answer.body

    def make_well(self, *hosts: str) -> None:
        """These hosts are there and obey no fault plan; no server is left, and the oracle finds nothing wrong."""
        for name in hosts:
            if name not in self.services:
                self.start_host(name)
            self.drivers[name].plan.clear()
        self.delete_servers()
        self.wait_quiet()

    def show(self, server_id: str) -> dict[str, Any] | None:
        """The server as an administrator sees it; None when it is gone."""
        answer = self.get(f"/servers/{server_id}", token=ADMIN)
        return dict(answer.json["server"]) if answer.status == 200 else None

    # -- waiting ----------------------------------------------------------------------------------

    def wait(self, server_id: str, status: str, timeout_s: float = 20) -> dict[str, Any]:
        """The server, once it has the status and nothing is being done to it."""

        def there() -> dict[str, Any] | None:
            server = self.show(server_id)
            assert server is not None, f"server {server_id} is gone"
            rests = server["OS-EXT-STS:task_state"] is None
            return server if rests and server["status"] == status else None

        found: dict[str, Any] = until(
            there, timeout_s, lambda: f"{server_id} never became {status}: {self.show(server_id)}"
        )
        return found

    def wait_gone(self, server_id: str, timeout_s: float = 20) -> None:
        until(lambda: self.show(server_id) is None, timeout_s, lambda: f"still there: {self.show(server_id)}")

    def wait_quiet(self, timeout_s: float = 20) -> None:
        """Until the oracle finds nothing wrong; fails with what it finds."""
        until(lambda: not self.violations(), timeout_s, lambda: "\n".join(self.violations()))

    def violations(self) -> list[str]:
        try:
            shown = self._shown()
        except AssertionError as error:
            return [f"I10: the API does not list servers: {error}"]
        return oracle.violations(self.drivers, dict(self.images.images), self.networks, self.volumes, shown)

    def _shown(self) -> dict[str, str]:
        """The status of every server as the API shows it to an administrator."""
        found: dict[str, str] = {}
        path = "/servers/detail?all_tenants=1&limit=1000"
        while True:
            answer = self.get(path if not found else f"{path}&marker={[*found][-1]}", token=ADMIN)
            assert answer.status == 200, answer.body
            page = answer.json["servers"]
            found |= {server["id"]: server["status"] for server in page}
            if len(page) < 1000:
                return found


class _Nobody:
    """The conductor as a dead process sees it."""

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        def gone(*_: Any, **__: Any) -> None:
            raise exception.Unavailable("killed")

        gone.__name__ = verb
        return gone


def until(probe: Callable[[], Any], timeout_s: float, why: Callable[[], str], pause_s: float = 0.01) -> Any:
    """The first true answer of ``probe``; fails with ``why()`` when there is none in time."""
    end = time.monotonic() + timeout_s
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(why())
        concurrency.sleep(pause_s)
