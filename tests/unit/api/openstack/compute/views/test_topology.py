"""A NUMA layout as JSON, for users and for administrators."""

from __future__ import annotations

from nova_lite.api.openstack.compute.views import topology
from nova_lite.compute.numa import Layout, Node

LAYOUT = Layout((Node(0, (0, 1), 512),), 4)


def test_an_administrator_sees_the_host_besides() -> None:
    node = {"vcpu_set": [0, 1], "siblings": [], "memory_mb": 512}
    assert topology.show(LAYOUT, shows_host=False) == {"nodes": [node], "pagesize_kb": 4}
    seen = {**node, "host_node": 0, "cpu_pinning": {}}
    assert topology.show(LAYOUT, shows_host=True) == {"nodes": [seen], "pagesize_kb": 4}


def test_nothing_is_asked_for() -> None:
    assert topology.show(Layout(), shows_host=True) == {"nodes": [], "pagesize_kb": None}
