"""The controllers of what is said about one server: metadata, tags, password, diagnostics, topology, scheduling."""

from __future__ import annotations

from typing import Any

from nova_lite.api.openstack.compute.diagnostics import DiagnosticsController
from nova_lite.api.openstack.compute.metadata import MetadataController
from nova_lite.api.openstack.compute.scheduling import BeyondController
from nova_lite.api.openstack.compute.server_password import ServerPasswordController
from nova_lite.api.openstack.compute.tags import TagsController
from nova_lite.api.openstack.compute.topology import TopologyController
from nova_lite.compute.api import API


def controllers(compute: API) -> dict[str, Any]:
    """By name, as the rows of the table name them."""
    return {
        "beyond": BeyondController(),
        "diagnostics": DiagnosticsController(compute),
        "metadata": MetadataController(compute),
        "server_password": ServerPasswordController(compute),
        "tags": TagsController(compute),
        "topology": TopologyController(),
    }
