"""Hypervisors: list, show, sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from oslo_config import cfg
from oslo_utils import strutils

from nova_lite import exception, liveness
from nova_lite.api.openstack import pagination
from nova_lite.api.openstack.compute.schemas import operators as schemas
from nova_lite.api.openstack.compute.views.hypervisors import HypervisorViews, capacity
from nova_lite.api.openstack.formats import is_uuid
from nova_lite.api.openstack.microversions import FULL_ANSWER_TO_UPDATE, UUID_NODES, at
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.db.api import compute_nodes, instances, services
from nova_lite.objects import ComputeNode, Instance, ServerSearch, Service

_PAGES = at("2.33")
_MOST_SERVERS = 10_000
_SUMS = (
    "disk_available_least", "free_disk_gb", "free_ram_mb", "local_gb", "local_gb_used", "memory_mb", "memory_mb_used",
    "running_vms", "vcpus", "vcpus_used",
)  # fmt: skip


class HypervisorsController:
    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf

    @validated(query=schemas.HYPERVISORS)
    def index(self, req: Request) -> dict[str, Any]:
        return self._list(req, "os-hypervisors", detail=False)

    @validated(query=schemas.HYPERVISORS)
    def detail(self, req: Request) -> dict[str, Any]:
        return self._list(req, "os-hypervisors/detail", detail=True)

    @validated(query=schemas.HYPERVISOR)
    def show(self, req: Request, id: str) -> dict[str, Any]:
        return {"hypervisor": self._views(req, [_find(req, id)], detail=True)[0]}

    def statistics(self, req: Request) -> dict[str, Any]:
        nodes = compute_nodes.list_all()
        taken = [capacity(node) for node in nodes]
        sums = {key: sum(each[key] or 0 for each in taken) for key in _SUMS}
        return {"hypervisor_statistics": {"count": len(nodes), "current_workload": 0, **sums}}

    def uptime(self, req: Request, id: str) -> None:
        """
        :raises NotSupported: no driver here tells it
        """
        _find(req, id)
        raise exception.NotSupported("Virt driver does not implement uptime function.")

    def search(self, req: Request, id: str) -> dict[str, Any]:
        return {"hypervisors": self._views(req, _matching(_nodes(), id), detail=False)}

    def servers(self, req: Request, id: str) -> dict[str, Any]:
        return {"hypervisors": self._views(req, _matching(_nodes(), id), detail=False, with_servers=True)}

    def _list(self, req: Request, path: str, *, detail: bool) -> dict[str, Any]:
        nodes = _nodes()
        pattern = req.last("hypervisor_hostname_pattern")
        if pattern is not None:
            if "limit" in req.query or "marker" in req.query:
                raise exception.Invalid(
                    "Paging over hypervisors with the hypervisor_hostname_pattern query parameter is not supported."
                )
            nodes = _matching(nodes, pattern)
        if not req.wants(_PAGES) or pattern is not None:
            return {"hypervisors": self._views(req, nodes, detail=detail)}
        limit = pagination.limit_of(req)
        nodes = _after(req, nodes)[:limit]
        views = self._views(req, nodes, detail=detail)
        return pagination.page(req, path, "hypervisors", views, nodes, limit, lambda node: _marker(req, node))

    def _views(
        self, req: Request, nodes: Sequence[ComputeNode], *, detail: bool, with_servers: bool = False
    ) -> list[dict[str, Any]]:
        by_host = {service.host: service for service in services.list(binary=liveness.COMPUTE)}
        views = HypervisorViews(req.version)
        return [
            views.item(
                node,
                by_host.get(node.host),
                self._is_up(by_host.get(node.host)),
                detail=detail,
                servers=_servers(req, node, always=with_servers),
            )
            for node in nodes
        ]

    def _is_up(self, service: Service | None) -> bool:
        return service is not None and liveness.is_up(service, self._conf.operations.service_down_s)


def _nodes() -> list[ComputeNode]:
    return sorted(compute_nodes.list_all(), key=lambda node: node.id or 0)


def _matching(nodes: Sequence[ComputeNode], pattern: str) -> list[ComputeNode]:
    """
    :raises NotFound: no node has the pattern in its name
    """
    found = [node for node in nodes if pattern in node.hypervisor_hostname]
    if not found:
        raise exception.NotFound(f"No hypervisor matching '{pattern}' could be found.")
    return found


def _servers(req: Request, node: ComputeNode, *, always: bool) -> list[Instance] | None:
    """The servers on a node if the caller asks for them; to 2.74 an empty list was left out."""
    asked = req.last("with_servers")
    if not always and (asked is None or not strutils.bool_from_string(asked)):
        return None
    search = ServerSearch(project_id=None, filters={"host": node.host, "node": node.hypervisor_hostname},
                          limit=_MOST_SERVERS)  # fmt: skip
    found = instances.list(search)
    return found if found or req.wants(FULL_ANSWER_TO_UPDATE) else None


def _find(req: Request, identifier: str) -> ComputeNode:
    """A node by uuid, before 2.53 by number.

    :raises NotFound: there is none. :raises Invalid: from 2.53, no uuid at all.
    """
    if req.wants(UUID_NODES) and not is_uuid(identifier):
        raise exception.Invalid(f"Invalid uuid {identifier}")
    for node in compute_nodes.list_all():
        if identifier == (node.uuid if req.wants(UUID_NODES) else str(node.id)):
            return node
    raise exception.NotFound(f"Hypervisor with ID '{identifier}' could not be found.")


def _marker(req: Request, node: ComputeNode) -> str:
    return node.uuid if req.wants(UUID_NODES) else str(node.id)


def _after(req: Request, nodes: list[ComputeNode]) -> list[ComputeNode]:
    """
    :raises MarkerNotFound: no node is the marker
    """
    marker = req.last("marker")
    if marker is None:
        return nodes
    for index, node in enumerate(nodes):
        if _marker(req, node) == marker:
            return nodes[index + 1 :]
    raise exception.MarkerNotFound(marker=marker)
