"""Rules of what clients and operators read: limits, extensions, services, hypervisors, zones, instance actions."""

from __future__ import annotations

from nova_lite.policies.base import ADMIN, ANYBODY, PROJECT_READER, Rule

_P = "os_compute_api:"
_QUOTA = "/os-quota-sets/{id}"
_CLASS = "/os-quota-class-sets/{id}"
_ACTIONS = "/servers/{server_id}/os-instance-actions"

RULES: tuple[Rule, ...] = (
    Rule(_P + "limits", ANYBODY, "See the own project's limits and use.", (("GET", "/limits"),)),
    Rule(_P + "limits:other_project", ADMIN, "See another project's limits and use.", (("GET", "/limits"),)),
    Rule(
        _P + "extensions", ANYBODY, "See the names of features.", (("GET", "/extensions"), ("GET", "/extensions/{id}"))
    ),
    Rule(_P + "os-quota-sets:show", PROJECT_READER, "See a project's limits.", (("GET", _QUOTA),)),
    Rule(_P + "os-quota-sets:detail", PROJECT_READER, "See limits and use.", (("GET", _QUOTA + "/detail"),)),
    Rule(_P + "os-quota-sets:defaults", ANYBODY, "See everybody's limits.", (("GET", _QUOTA + "/defaults"),)),
    Rule(_P + "os-quota-sets:update", ADMIN, "Change a project's limits.", (("PUT", _QUOTA),)),
    Rule(_P + "os-quota-sets:delete", ADMIN, "Give a project everybody's limits.", (("DELETE", _QUOTA),)),
    Rule(_P + "os-quota-class-sets:show", ADMIN, "See a class's limits.", (("GET", _CLASS),)),
    Rule(_P + "os-quota-class-sets:update", ADMIN, "Change a class's limits.", (("PUT", _CLASS),)),
    Rule(_P + "ips:index", PROJECT_READER, "List a server's addresses.", (("GET", "/servers/{server_id}/ips"),)),
    Rule(_P + "ips:show", PROJECT_READER, "List addresses on a network.", (("GET", "/servers/{server_id}/ips/{id}"),)),
    Rule(_P + "os-services:list", ADMIN, "List services.", (("GET", "/os-services"),)),
    Rule(_P + "os-services:update", ADMIN, "Enable, disable or force down a host.", (("PUT", "/os-services/{id}"),)),
    Rule(_P + "os-services:delete", ADMIN, "Forget a service.", (("DELETE", "/os-services/{id}"),)),
    Rule(_P + "os-hypervisors:list", ADMIN, "List hypervisors in short.", (("GET", "/os-hypervisors"),)),
    Rule(_P + "os-hypervisors:list-detail", ADMIN, "List hypervisors in full.", (("GET", "/os-hypervisors/detail"),)),
    Rule(_P + "os-hypervisors:show", ADMIN, "Show a hypervisor.", (("GET", "/os-hypervisors/{id}"),)),
    Rule(_P + "os-hypervisors:statistics", ADMIN, "See sums of capacity.", (("GET", "/os-hypervisors/statistics"),)),
    Rule(_P + "os-hypervisors:uptime", ADMIN, "See how long a host is up.", (("GET", "/os-hypervisors/{id}/uptime"),)),
    Rule(_P + "os-hypervisors:search", ADMIN, "Find hypervisors.", (("GET", "/os-hypervisors/{id}/search"),)),
    Rule(_P + "os-hypervisors:servers", ADMIN, "See their servers.", (("GET", "/os-hypervisors/{id}/servers"),)),
    Rule(_P + "os-availability-zone:list", ANYBODY, "List availability zones.", (("GET", "/os-availability-zone"),)),
    Rule(
        _P + "os-availability-zone:detail",
        ADMIN,
        "List availability zones with their hosts.",
        (("GET", "/os-availability-zone/detail"),),
    ),
    Rule(_P + "os-instance-actions:list", PROJECT_READER, "List what was done to a server.", (("GET", _ACTIONS),)),
    Rule(_P + "os-instance-actions:show", PROJECT_READER, "Show one of it.", (("GET", _ACTIONS + "/{id}"),)),
    Rule(_P + "os-instance-actions:events", ADMIN, "See events with their tracebacks.", (("GET", _ACTIONS + "/{id}"),)),
    Rule(
        _P + "os-instance-actions:events:details",
        ADMIN,
        "See details of failed events.",
        (("GET", _ACTIONS + "/{id}"),),
    ),
)
