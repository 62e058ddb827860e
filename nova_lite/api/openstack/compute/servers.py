"""Servers: list, show, create, change, delete."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from oslo_config import cfg

from nova_lite import exception
from nova_lite.api.openstack import pagination
from nova_lite.api.openstack.compute import admin_password, host_status
from nova_lite.api.openstack.compute.schemas import servers as schemas
from nova_lite.api.openstack.compute.server_request import address_of, server_request
from nova_lite.api.openstack.compute.server_search import PLACE, Impossible, all_projects, place_word, server_search
from nova_lite.api.openstack.compute.views.servers import ServerViews, Sight
from nova_lite.api.openstack.request import Request, Response
from nova_lite.api.openstack.validation import validated
from nova_lite.compute.api import API
from nova_lite.compute.once import Made, Once
from nova_lite.context import RequestContext
from nova_lite.objects import CreatedServer, Instance, Page, ServerName, ServerRequest, ServerSearch

S = TypeVar("S", Instance, ServerName)

_CHANGES = {
    "name": "display_name",
    "description": "display_description",
    "accessIPv4": "access_ip_v4",
    "accessIPv6": "access_ip_v6",
    "hostname": "hostname",
    "pinned_availability_zone": "pinned_availability_zone",
}


class ServersController:
    def __init__(self, compute: API, conf: cfg.ConfigOpts) -> None:
        self._compute = compute
        self._conf = conf

    @validated(query=schemas.LIST_QUERY)
    def index(self, req: Request) -> dict[str, Any]:
        views = ServerViews(req.links, req.version, Sight(), host_status.none)
        rule = "os_compute_api:servers:index:get_all_tenants"
        return _list(req, "servers", rule, self._compute.get_names, views.basic)

    @validated(query=schemas.LIST_QUERY)
    def detail(self, req: Request) -> dict[str, Any]:
        views = self._views(req)
        rule = "os_compute_api:servers:detail:get_all_tenants"
        return _list(req, "servers/detail", rule, self._compute.get_all, views.item)

    def show(self, req: Request, server: Instance) -> dict[str, Any]:
        return self._views(req).show(server)

    @validated(body=schemas.CREATE, headers=schemas.IDEMPOTENCY_KEY)
    def create(self, req: Request) -> Response:
        """
        :raises IdempotencyKeyReused: the client used its Idempotency-Key for another request
        """
        wanted = server_request(req.body, req.version)
        _authorize_parts(req, wanted)
        once = _once(req)
        if once is None:
            password = wanted.admin_password or admin_password.new()
            made = self._make(req, dataclasses.replace(wanted, admin_password=password))
        else:
            made = once.kept() or self._make_once(req, wanted, once)
            password = wanted.admin_password or admin_password.derived(once.secret(made.salt))
        if wanted.return_reservation_id:
            return Response({"reservation_id": made.reservation_id})
        shown = password if self._conf.api.enable_instance_password else None
        location = req.links.to("servers", made.server.uuid)
        return Response(self._views(req).created(made.server, shown), headers=[("Location", location)])

    def _make(self, req: Request, wanted: ServerRequest, once: Once | None = None) -> Made:
        with _as_bad_request():
            (first, *_), reservation_id = self._compute.create(req.ctxt, wanted, once)
        server = CreatedServer(first.uuid, first.auto_disk_config, first.security_groups)
        return Made(server, reservation_id, once.salt if once else "")

    def _make_once(self, req: Request, wanted: ServerRequest, once: Once) -> Made:
        """What makes the second of two equal requests fail may be the first: then its answer is the answer."""
        password = wanted.admin_password or admin_password.derived(once.secret(once.salt))
        try:
            return self._make(req, dataclasses.replace(wanted, admin_password=password), once)
        except exception.NovaLiteError:
            kept = once.kept()
            if kept is None:
                raise
            return kept

    @validated(body=schemas.UPDATE)
    def update(self, req: Request, server: Instance) -> dict[str, Any]:
        asked = req.body["server"]
        values = {column: asked[key] for key, column in _CHANGES.items() if key in asked}
        if "display_name" in values:
            values["display_name"] = values["display_name"].strip()
        for column in ("access_ip_v4", "access_ip_v6"):
            if column in values:
                values[column] = address_of(values[column])
        if "OS-DCF:diskConfig" in asked:
            values["auto_disk_config"] = asked["OS-DCF:diskConfig"] == "AUTO"
        return self._views(req).updated(self._compute.update(req.ctxt, server, values))

    def delete(self, req: Request, server: Instance) -> None:
        self._compute.delete(req.ctxt, server)

    def _views(self, req: Request) -> ServerViews:
        return ServerViews(req.links, req.version, sight_of(req), host_status.reader(self._conf))


def _list(
    req: Request,
    path: str,
    all_rule: str,
    find: Callable[[RequestContext, ServerSearch], Page[S]],
    view: Callable[[S], dict[str, Any]],
) -> dict[str, Any]:
    limit = pagination.limit_of(req)
    try:
        search = _search(req, all_rule, limit)
    except Impossible:
        return {"servers": []}
    servers = find(req.ctxt, search) if limit else Page()
    views = [view(server) for server in servers]
    req.query.pop(PLACE, None)
    if servers.end is not None:
        req.query[PLACE] = [place_word(servers.end)]
    return pagination.page(req, path, "servers", views, servers, limit, lambda server: server.uuid)


def sight_of(req: Request) -> Sight:
    """What the caller's policies show of servers."""
    return Sight(
        admin=bool(req.ctxt.is_admin),
        attributes=req.may("os_compute_api:os-extended-server-attributes"),
        extra_specs=req.may("os_compute_api:servers:show:flavor-extra-specs"),
        host_status=req.may("os_compute_api:servers:show:host_status"),
        unknown_host_status=req.may("os_compute_api:servers:show:host_status:unknown-only"),
    )


def _once(req: Request) -> Once | None:
    """The client's word that it may say this creation again.

    :raises Invalid: its key is no key.
    """
    key = req.environ.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    return Once(str(req.ctxt.project_id or ""), key.strip(), [str(req.version), req.body])


def _search(req: Request, all_rule: str, limit: int) -> ServerSearch:
    every_project = all_projects(req.query)
    if every_project:
        req.authorize(all_rule)
    return server_search(
        req.query,
        req.version,
        # Never None, which would mean every project: a token without a project has no servers.
        project_id=req.ctxt.project_id or "",
        is_admin=bool(req.ctxt.is_admin),
        every_filter=req.may("os_compute_api:servers:allow_all_filters"),
        every_project=every_project,
        limit=limit,
    )


def _authorize_parts(req: Request, wanted: ServerRequest) -> None:
    """The rules of what a body may hold besides the plain server."""
    zone = wanted.availability_zone or ""
    if ":" in zone and zone.split(":", 1)[1]:
        req.authorize("os_compute_api:servers:create:forced_host")
    if wanted.host or wanted.node:
        req.authorize("compute:servers:create:requested_destination")
    if wanted.networks and not all(request.auto for request in wanted.networks):
        req.authorize("os_compute_api:servers:create:attach_network")
    if wanted.block_devices:
        req.authorize("os_compute_api:servers:create:attach_volume")
    if wanted.trusted_certs:
        req.authorize("os_compute_api:servers:create:trusted_certs")


@contextmanager
def _as_bad_request() -> Iterator[None]:
    """What a body names and is not there is a fault of the body: 400, in Nova's words."""
    try:
        yield
    except exception.ImageNotFound as error:
        raise exception.Invalid("Can not find requested image") from error
    except exception.KeypairNotFound as error:
        raise exception.Invalid("Invalid key_name provided.") from error
    except exception.NotFound as error:
        raise exception.Invalid(error.message) from error
