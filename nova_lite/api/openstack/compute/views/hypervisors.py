"""A hypervisor as JSON, at every microversion."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from nova_lite.api.openstack.compute.views.undo import History, View, drop, step
from nova_lite.api.openstack.microversions import Microversion, at
from nova_lite.objects import ComputeNode, Instance, Service

_CAPACITY_UNTIL = at("2.87")


def _cpu_text(view: View, maker: Any) -> None:
    if "cpu_info" in view:
        view["cpu_info"] = json.dumps(view["cpu_info"])


def _numbers(view: View, maker: tuple[ComputeNode, Service | None]) -> None:
    node, service = maker
    view["id"] = node.id
    if "service" in view:
        view["service"]["id"] = service.id if service else None


_HISTORY = History(step("2.88", drop("uptime")), step("2.53", _numbers), step("2.28", _cpu_text))


class HypervisorViews:
    """Makes the views of one request."""

    def __init__(self, version: Microversion) -> None:
        self._version = version

    def item(
        self,
        node: ComputeNode,
        service: Service | None,
        up: bool,
        *,
        detail: bool,
        servers: Sequence[Instance] | None = None,
    ) -> View:
        view: View = {
            "id": node.uuid,
            "hypervisor_hostname": node.hypervisor_hostname,
            "state": "up" if up else "down",
            "status": "disabled" if service is None or service.disabled else "enabled",
        }
        if detail:
            view.update(_detail(node, service))
            if self._version <= _CAPACITY_UNTIL:
                view.update(capacity(node))
        if servers is not None:
            view["servers"] = [{"name": server.display_name, "uuid": server.uuid} for server in servers]
        return _HISTORY.walk_back(view, self._version, (node, service))


def _detail(node: ComputeNode, service: Service | None) -> View:
    return {
        "host_ip": node.host_ip,
        "hypervisor_type": node.hypervisor_type,
        "hypervisor_version": node.hypervisor_version,
        "uptime": None,
        "service": {
            "id": service.uuid if service else None,
            "host": node.host,
            "disabled_reason": service.disabled_reason if service else None,
        },
    }


def capacity(node: ComputeNode) -> View:
    """What the node has and what is taken of it; what is reserved for the host counts as taken, as Nova shows it."""
    ram_used = node.memory_mb_used + node.reserved_host_memory_mb
    free_disk = node.local_gb - node.local_gb_used
    return {
        "cpu_info": dict(node.cpu_info),
        "current_workload": 0,
        # Drivers that do not look at their disks know no better than what is not given away.
        "disk_available_least": free_disk if node.disk_available_least is None else node.disk_available_least,
        "free_disk_gb": free_disk,
        "free_ram_mb": node.memory_mb - ram_used,
        "local_gb": node.local_gb,
        "local_gb_used": node.local_gb_used,
        "memory_mb": node.memory_mb,
        "memory_mb_used": ram_used,
        "running_vms": node.running_vms,
        "vcpus": node.vcpus,
        "vcpus_used": node.vcpus_used,
    }
