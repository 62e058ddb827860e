"""Small ways to make the nouns a test needs; every argument has a default that passes everything."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from nova_lite.objects import ComputeNode, Flavor, ImageMeta, RequestSpec, Service
from nova_lite.scheduler import host_state
from nova_lite.scheduler.host_state import HostState

NOW = datetime.datetime(2026, 11, 20, 12, 0, 0)
NAMESPACE = uuid.UUID("6f70656e-7374-6163-6b20-342065766572")


def uuid_of(name: str) -> str:
    """The same uuid for the same name, always."""
    return str(uuid.uuid5(NAMESPACE, name))


def make_node(host: str = "host1", **values: Any) -> ComputeNode:
    """An empty hypervisor: 16 CPUs at 4.0, 32 GiB at 1.0, 100 GiB, nothing reserved."""
    defaults: dict[str, Any] = {
        "uuid": uuid_of(f"node {values.get('hypervisor_hostname', host)}"),
        "host": host,
        "hypervisor_hostname": host,
        "hypervisor_type": "fake",
        "hypervisor_version": 1_000_000,
        "vcpus": 16,
        "memory_mb": 32768,
        "local_gb": 100,
        "reserved_host_memory_mb": 0,
        "supported_instances": (("x86_64", "fake", "hvm"),),
    }
    return ComputeNode(**{**defaults, **values})


def make_service(host: str = "host1", **values: Any) -> Service:
    """A compute service that was heard just NOW."""
    defaults: dict[str, Any] = {
        "uuid": uuid_of(f"service {host}"),
        "host": host,
        "binary": "nova-lite-compute",
        "topic": "compute",
        "last_seen_at": NOW,
    }
    return Service(**{**defaults, **values})


def make_host(host: str = "host1", zone: str = "nova", unusable: str | None = None, **values: Any) -> HostState:
    """A HostState; names of HostState's own fields are set on it, all others on its node."""
    own = {name: values.pop(name) for name in list(values) if name in HostState._fields and name not in _OF_BOTH}
    return host_state.make(make_node(host, **values), zone, unusable)._replace(**own)


_OF_BOTH = {"vcpus", "memory_mb", "local_gb", "supported_instances", "generation", "build_failures"}


def make_flavor(name: str = "m1.small", **values: Any) -> Flavor:
    """1 vCPU, 512 MiB, 1 GiB of root disk."""
    defaults: dict[str, Any] = {"flavorid": name, "name": name, "vcpus": 1, "memory_mb": 512, "root_gb": 1}
    return Flavor(**{**defaults, **values})


def make_spec(name: str = "server", flavor: Flavor | None = None, **values: Any) -> RequestSpec:
    """A spec of one server; ``vcpus``, ``memory_mb`` and ``disk_gb`` are its sizes, ``properties`` its image's."""
    sizes = {key: values.pop(key) for key in ("vcpus", "memory_mb") if key in values}
    flavor = flavor or make_flavor(**sizes)
    if "properties" in values:
        values["image"] = ImageMeta(id=uuid_of("image"), properties=values.pop("properties"))
    defaults: dict[str, Any] = {
        "instance_uuid": uuid_of(f"instance {name}"),
        "project_id": "project",
        "user_id": "user",
        "flavor": flavor,
        "disk_gb": flavor.disk_gb,
    }
    return RequestSpec(**{**defaults, **values})
