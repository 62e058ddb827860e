"""The compute API in this process: the real dispatcher and filters, a compute door that remembers what it was asked."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import Any

from nova_lite import conf as nova_conf
from nova_lite import exception
from nova_lite.api.middleware.fault_wrap import FaultWrap
from nova_lite.api.middleware.noauth import NoAuth
from nova_lite.api.middleware.request_id import ComputeRequestId
from nova_lite.api.middleware.size_limit import SizeLimit
from nova_lite.api.openstack.compute import application
from nova_lite.api.openstack.urlmap import URLMap
from nova_lite.api.openstack.versions import OneVersion, RootVersions
from nova_lite.compute.once import Once
from nova_lite.context import RequestContext
from nova_lite.objects import Instance, Page, ServerName, ServerRequest, ServerSearch
from tests.harness.builders import NOW
from tests.harness.database import make_instance

LIMIT = 114688


class FakeDoor:
    """Stands for one of ``compute.doors``: notes ``noun.method``, and answers what the test put into ``answers``."""

    def __init__(self, compute: FakeCompute, noun: str) -> None:
        self._compute = compute
        self._noun = noun

    def __getattr__(self, method: str) -> Any:
        name = f"{self._noun}.{method}"

        def call(ctxt: RequestContext, *args: Any, **kwargs: Any) -> Any:
            shown = [arg.uuid if isinstance(arg, Instance) else arg for arg in args]
            self._compute._note(name, *shown, *([kwargs] if kwargs else []))
            if name not in self._compute.answers:
                raise exception.NotFound
            return self._compute.answers[name]

        return call


class FakeCompute:
    """Stands for ``compute.api.API``. ``refuse_with`` is raised by the next call; ``calls`` are (method, arguments).

    Its doors answer what is in ``answers`` by ``noun.method``; where nothing is, there is no such thing (404).
    """

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.servers: dict[str, Instance] = {}
        self.calls: list[tuple[Any, ...]] = []
        self.refuse_with: Exception | None = None

    def __getattr__(self, noun: str) -> FakeDoor:
        if noun.startswith("_"):
            raise AttributeError(noun)
        return FakeDoor(self, noun)

    def add(self, name: str = "vm", **values: Any) -> Instance:
        server = make_instance(name, **{"created_at": NOW, "updated_at": NOW, **values})
        self.servers[server.uuid] = server
        return server

    def _note(self, *call: Any) -> None:
        self.calls.append(call)
        if self.refuse_with is not None:
            raise self.refuse_with

    def get(self, ctxt: RequestContext, uuid: str) -> Instance:
        server = self.servers.get(uuid)
        if server is None or (server.project_id != ctxt.project_id and not ctxt.is_admin):
            raise exception.InstanceNotFound(instance_uuid=uuid)
        return server

    def get_all(self, ctxt: RequestContext, search: ServerSearch) -> Page[Instance]:
        self._note("get_all", search)
        found = [each for each in self.servers.values() if search.project_id in (None, each.project_id)]
        return Page(found[: search.limit])

    def get_names(self, ctxt: RequestContext, search: ServerSearch) -> Page[ServerName]:
        return Page(ServerName(server.uuid, server.display_name) for server in self.get_all(ctxt, search))

    def create(
        self, ctxt: RequestContext, request: ServerRequest, once: Once | None = None
    ) -> tuple[tuple[Instance, ...], str]:
        self._note("create", request)
        new = self.add(
            request.name, project_id=ctxt.project_id, vm_state="building", security_groups=request.security_groups
        )
        return (new,), "r-12345678"

    def update(self, ctxt: RequestContext, instance: Instance, values: dict[str, Any]) -> Instance:
        self._note("update", instance.uuid, values)
        self.servers[instance.uuid] = instance.replace(**values)
        return self.servers[instance.uuid]

    def delete(self, ctxt: RequestContext, instance: Instance) -> None:
        self._note("delete", instance.uuid)

    def perform(self, ctxt: RequestContext, instance: Instance, action: Any, args: dict[str, Any]) -> None:
        self._note("perform", instance.uuid, action.name, args)

    def lock(self, ctxt: RequestContext, instance: Instance, reason: str | None) -> None:
        self._note("lock", instance.uuid, reason)

    def unlock(self, ctxt: RequestContext, instance: Instance) -> None:
        self._note("unlock", instance.uuid)

    def reset_state(self, ctxt: RequestContext, instance: Instance, vm_state: str) -> None:
        self._note("reset_state", instance.uuid, vm_state)

    def console_output(self, ctxt: RequestContext, instance: Instance, length: int | None) -> str:
        self._note("console_output", instance.uuid, length)
        return "FAKE CONSOLE OUTPUT\nANOTHER\nLAST LINE"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    data: bytes
    exc_info: Any = field(default=None, repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.data)

    @property
    def message(self) -> str:
        """The sentence of an error body."""
        (inner,) = self.json.values()
        return str(inner["message"])


def environ_of(method: str, url: str, data: bytes = b"", headers: dict[str, str] | None = None) -> dict[str, Any]:
    """What a WSGI server would make of a request; header names as on the wire."""
    path, _, query = url.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "cloud",
        "SERVER_PORT": "8774",
        "HTTP_HOST": "cloud:8774",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(data),
    }
    if data:
        environ["CONTENT_LENGTH"] = str(len(data))
        environ["CONTENT_TYPE"] = "application/json"
    for name, value in (headers or {}).items():
        key = name.upper().replace("-", "_")
        environ[key if key.startswith("CONTENT_") else f"HTTP_{key}"] = value
    return environ


def ask(app: Any, environ: dict[str, Any]) -> Answer:
    """One answer of a WSGI application."""
    seen: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        seen.update(status=status, headers=headers, exc_info=exc_info)

    data = b"".join(app(environ, start_response))
    names = [name for name, _ in seen["headers"]]
    assert len(names) == len(set(names)), f"a header twice: {names}"
    return Answer(int(seen["status"].split()[0]), dict(seen["headers"]), data, seen["exc_info"])


class ComputeApi:
    """A client of the API under test. The token is ``user:project``; ``admin`` is an administrator of ``project``."""

    def __init__(self, compute: FakeCompute) -> None:
        conf = nova_conf.CONF
        self.compute = compute

        def endpoint(*, legacy: bool) -> Any:
            app = application.build(conf, legacy=legacy, compute=compute)  # type: ignore[arg-type]
            return ComputeRequestId(FaultWrap(SizeLimit(NoAuth(app), LIMIT)))

        self.app = URLMap(
            {
                "/": RootVersions(),
                "/v2": ComputeRequestId(OneVersion()),
                "/v2/+": endpoint(legacy=True),
                "/v2.1": ComputeRequestId(OneVersion()),
                "/v2.1/+": endpoint(legacy=False),
            }
        )

    def __call__(
        self,
        method: str,
        url: str,
        body: Any = None,
        version: str | None = None,
        *,
        admin: bool = False,
        project: str = "project",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send one request below /v2.1 (or to an absolute path of another endpoint); bytes go as they are."""
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"X-Auth-Token": f"{'admin' if admin else 'user'}:{project}", **(headers or {})}
        if version is not None:
            sent["OpenStack-API-Version"] = f"compute {version}"
        whole = url if url.startswith(("/v2", "//")) or url == "/" else f"/v2.1{url}"
        return ask(self.app, environ_of(method, whole, data, sent))
