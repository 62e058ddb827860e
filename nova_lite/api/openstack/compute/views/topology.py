"""A guest's NUMA layout as JSON."""

from __future__ import annotations

from typing import Any

from nova_lite.compute.numa import Layout


def show(layout: Layout, *, shows_host: bool) -> dict[str, Any]:
    """No guest CPU is pinned, and a host counts as one node: that is what an administrator sees besides."""
    host: dict[str, Any] = {"host_node": 0, "cpu_pinning": {}} if shows_host else {}
    return {
        "nodes": [
            {"vcpu_set": list(node.cpus), "siblings": [], "memory_mb": node.memory_mb, **host} for node in layout.nodes
        ],
        "pagesize_kb": layout.page_kb,
    }
