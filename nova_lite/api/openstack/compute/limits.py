"""Limits and use of a project, flat, as launch forms read them."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg

from nova_lite import quota
from nova_lite.api.openstack.compute.schemas import operators as schemas
from nova_lite.api.openstack.compute.views.undo import History, step
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated

# What a project once had of other services; nobody counts it here.
_NETWORK = ("maxSecurityGroups", "maxSecurityGroupRules", "maxTotalFloatingIps", "totalFloatingIpsUsed",
            "totalSecurityGroupsUsed")  # fmt: skip
_GONE = {
    "maxImageMeta": 128,
    "maxPersonality": 5,
    "maxPersonalitySize": 10240,
    "maxSecurityGroups": -1,
    "maxSecurityGroupRules": -1,
    "maxTotalFloatingIps": -1,
    "totalFloatingIpsUsed": 0,
    "totalSecurityGroupsUsed": 0,
}
# Here the newest shape has less than the oldest: what went is put back, step by step.
_HISTORY = History(
    step(
        "2.57", lambda view, maker: view.update({key: _GONE[key] for key in ("maxPersonality", "maxPersonalitySize")})
    ),
    step("2.39", lambda view, maker: view.update({"maxImageMeta": _GONE["maxImageMeta"]})),
    step("2.36", lambda view, maker: view.update({key: _GONE[key] for key in _NETWORK})),
)
_LIMITS = {
    "maxTotalInstances": "instances",
    "maxTotalCores": "cores",
    "maxTotalRAMSize": "ram",
    "maxTotalKeypairs": "key_pairs",
    "maxServerMeta": "metadata_items",
    "maxServerGroups": "server_groups",
    "maxServerGroupMembers": "server_group_members",
}
_USE = {
    "totalInstancesUsed": "instances",
    "totalCoresUsed": "cores",
    "totalRAMUsed": "ram",
    "totalServerGroupsUsed": "server_groups",
}
_DEFAULTS = {"server_groups": 10, "server_group_members": 10, "metadata_items": 128, "key_pairs": 100}


class LimitsController:
    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf

    @validated(query=schemas.LIMITS)
    def index(self, req: Request) -> dict[str, Any]:
        project_id = str(req.ctxt.project_id)
        asked = req.last("tenant_id")
        if asked and asked != project_id:
            req.authorize("os_compute_api:limits:other_project", {"project_id": asked, "user_id": req.ctxt.user_id})
            project_id = asked
        limits, usage = quota.limits(project_id, self._conf), quota.usage(project_id)
        view: dict[str, Any] = {key: limits.get(name, _DEFAULTS.get(name, -1)) for key, name in _LIMITS.items()}
        view.update({key: usage.get(name, 0) for key, name in _USE.items()})
        return {"limits": {"rate": [], "absolute": _HISTORY.walk_back(view, req.version)}}
