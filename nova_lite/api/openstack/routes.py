"""THE TABLE of calls: one row an operation. Each path also works below ``/{project_id}``.

A row's policy is asked by the dispatcher: of the subject's project where the row has a subject, else of the caller's
own; rows without a policy ask by themselves, or everybody may.
"""

from __future__ import annotations

from dataclasses import dataclass

from nova_lite.api.openstack import retired
from nova_lite.api.openstack.microversions import MIN, Microversion, Versioned, at


@dataclass(frozen=True)
class Route:
    """``handler`` is ``controller:method``, ``status`` the success code, ``subject`` what the path's id stands for.

    ``action`` is the one key of the body, for the rows that share a path ``.../action``. ``until`` is the last version
    that has the call.
    """

    method: str
    path: str
    handler: str
    policy: str | None = None
    status: int | Versioned[int] = 200
    since: Microversion = MIN
    until: Microversion | None = None
    subject: str | None = None
    action: str | None = None

    def valid_at(self, version: Microversion) -> bool:
        return self.since <= version and (self.until is None or version <= self.until)


_OS = "os_compute_api:"

_FLAVORS = (
    Route("GET", "/flavors", "flavors:index"),
    Route("POST", "/flavors", "flavors:create", _OS + "os-flavor-manage:create"),
    Route("GET", "/flavors/detail", "flavors:detail"),
    Route("GET", "/flavors/{id}", "flavors:show"),
    Route("PUT", "/flavors/{id}", "flavors:update", _OS + "os-flavor-manage:update", since=at("2.55")),
    Route("DELETE", "/flavors/{id}", "flavors:delete", _OS + "os-flavor-manage:delete", 202),
    Route(
        "GET", "/flavors/{flavor_id}/os-extra_specs", "flavor_extra_specs:index", _OS + "os-flavor-extra-specs:index"
    ),
    Route(
        "POST", "/flavors/{flavor_id}/os-extra_specs", "flavor_extra_specs:create", _OS + "os-flavor-extra-specs:create"
    ),
    Route(
        "GET", "/flavors/{flavor_id}/os-extra_specs/{id}", "flavor_extra_specs:show", _OS + "os-flavor-extra-specs:show"
    ),
    Route(
        "PUT",
        "/flavors/{flavor_id}/os-extra_specs/{id}",
        "flavor_extra_specs:update",
        _OS + "os-flavor-extra-specs:update",
    ),
    Route(
        "DELETE",
        "/flavors/{flavor_id}/os-extra_specs/{id}",
        "flavor_extra_specs:delete",
        _OS + "os-flavor-extra-specs:delete",
    ),
    Route("GET", "/flavors/{flavor_id}/os-flavor-access", "flavor_access:index", _OS + "os-flavor-access"),
    Route(
        "POST",
        "/flavors/{id}/action",
        "flavor_access:add",
        _OS + "os-flavor-access:add_tenant_access",
        action="addTenantAccess",
    ),
    Route(
        "POST",
        "/flavors/{id}/action",
        "flavor_access:remove",
        _OS + "os-flavor-access:remove_tenant_access",
        action="removeTenantAccess",
    ),
)

# Keypairs belong to a user: the controller asks the policy of whose they are.
_KEYPAIRS = (
    Route("GET", "/os-keypairs", "keypairs:index"),
    Route("POST", "/os-keypairs", "keypairs:create", status=Versioned(v2_1=200, v2_2=201)),
    Route("GET", "/os-keypairs/{id}", "keypairs:show"),
    Route("DELETE", "/os-keypairs/{id}", "keypairs:delete", status=Versioned(v2_1=202, v2_2=204)),
)

_SERVERS = (
    Route("GET", "/servers", "servers:index", _OS + "servers:index"),
    Route("POST", "/servers", "servers:create", _OS + "servers:create", 202),
    Route("GET", "/servers/detail", "servers:detail", _OS + "servers:detail"),
    Route("GET", "/servers/{id}", "servers:show", _OS + "servers:show", subject="server"),
    Route("PUT", "/servers/{id}", "servers:update", _OS + "servers:update", subject="server"),
    Route("DELETE", "/servers/{id}", "servers:delete", _OS + "servers:delete", 204, subject="server"),
)


def _server_action(key: str, method: str, policy: str, status: int = 202) -> Route:
    return Route(
        "POST", "/servers/{id}/action", f"server_actions:{method}", _OS + policy, status, subject="server", action=key
    )


_SERVER_ACTIONS = (
    _server_action("os-start", "start", "servers:start"),
    _server_action("os-stop", "stop", "servers:stop"),
    _server_action("reboot", "reboot", "servers:reboot"),
    _server_action("pause", "pause", "os-pause-server:pause"),
    _server_action("unpause", "unpause", "os-pause-server:unpause"),
    _server_action("suspend", "suspend", "os-suspend-server:suspend"),
    _server_action("resume", "resume", "os-suspend-server:resume"),
    _server_action("lock", "lock", "os-lock-server:lock"),
    _server_action("unlock", "unlock", "os-lock-server:unlock"),
    _server_action("os-getConsoleOutput", "console_output", "os-console-output", 200),
    _server_action("os-resetState", "reset_state", "os-admin-actions:reset_state"),
    _server_action("forceDelete", "force_delete", "os-deferred-delete:force"),
)

_QUOTAS = "/os-quota-sets/{id}"
_ACTIONS = "/servers/{server_id}/os-instance-actions"
_OPERATORS = (
    Route("GET", _ACTIONS, "instance_actions:index", _OS + "os-instance-actions:list", subject="server_or_deleted"),
    Route(
        "GET",
        _ACTIONS + "/{id}",
        "instance_actions:show",
        _OS + "os-instance-actions:show",
        subject="server_or_deleted",
    ),
    Route("GET", "/limits", "limits:index", _OS + "limits"),
    Route("GET", "/extensions", "extensions:index", _OS + "extensions"),
    Route("GET", "/extensions/{id}", "extensions:show", _OS + "extensions"),
    Route("GET", _QUOTAS, "quota_sets:show", _OS + "os-quota-sets:show", subject="project"),
    Route("PUT", _QUOTAS, "quota_sets:update", _OS + "os-quota-sets:update", subject="project"),
    Route("DELETE", _QUOTAS, "quota_sets:delete", _OS + "os-quota-sets:delete", 202, subject="project"),
    Route("GET", _QUOTAS + "/detail", "quota_sets:detail", _OS + "os-quota-sets:detail", subject="project"),
    Route("GET", _QUOTAS + "/defaults", "quota_sets:defaults", _OS + "os-quota-sets:defaults", subject="project"),
    Route("GET", "/os-services", "services:index", _OS + "os-services:list"),
    Route("PUT", "/os-services/{id}", "services:update", _OS + "os-services:update"),
    Route("GET", "/servers/{server_id}/ips", "addresses:index", _OS + "ips:index", subject="server"),
    Route("GET", "/servers/{server_id}/ips/{id}", "addresses:show", _OS + "ips:show", subject="server"),
    Route("GET", "/os-hypervisors", "hypervisors:index", _OS + "os-hypervisors:list"),
    Route("GET", "/os-hypervisors/detail", "hypervisors:detail", _OS + "os-hypervisors:list-detail"),
    Route(
        "GET",
        "/os-hypervisors/statistics",
        "hypervisors:statistics",
        _OS + "os-hypervisors:statistics",
        until=at("2.87"),
    ),
    Route("GET", "/os-hypervisors/{id}", "hypervisors:show", _OS + "os-hypervisors:show"),
    Route("GET", "/os-hypervisors/{id}/uptime", "hypervisors:uptime", _OS + "os-hypervisors:uptime", until=at("2.87")),
    Route("GET", "/os-availability-zone", "availability_zones:index", _OS + "os-availability-zone:list"),
    Route("GET", "/os-availability-zone/detail", "availability_zones:detail", _OS + "os-availability-zone:detail"),
    Route("GET", "", "api_versions:own"),
    Route("GET", "/", "api_versions:own"),
    Route("GET", "/versions", "api_versions:index"),
    Route("GET", "/versions/{id}", "api_versions:show"),
)

_RETIRED = tuple(Route(method, path, f"retired:{kind}", action=action) for method, path, action, kind in retired.rows())

ROUTES: tuple[Route, ...] = (*_FLAVORS, *_KEYPAIRS, *_SERVERS, *_SERVER_ACTIONS, *_OPERATORS, *_RETIRED)
