"""Every controller of the table, with what it needs."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg

from nova_lite.api.openstack.compute import (
    operator_controllers,
    server_controllers,
    server_fact_controllers,
    site_controllers,
)
from nova_lite.compute.api import API


def controllers(conf: cfg.ConfigOpts, compute: API) -> dict[str, Any]:
    """Every controller of the table by name."""
    return {
        **server_controllers.controllers(conf, compute),
        **server_fact_controllers.controllers(compute),
        **operator_controllers.controllers(conf, compute),
        **site_controllers.controllers(conf, compute),
    }
