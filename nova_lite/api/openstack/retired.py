"""Calls that Nova once had and nova-lite does not: removed ones are 410 at every version, left-out ones 404.

Source: contract api.yaml, tier T4. Both keep the API's own error shape, which a path that never was does not have.
"""

from __future__ import annotations

from collections.abc import Iterator

from nova_lite import exception
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import ANY_QUERY, validated

# path: methods
_REMOVED = {
    "/os-agents": "GET POST",
    "/os-agents/{id}": "PUT DELETE",
    "/os-cells": "GET POST",
    "/os-cells/capacities": "GET",
    "/os-cells/detail": "GET",
    "/os-cells/info": "GET",
    "/os-cells/sync_instances": "POST",
    "/os-cells/{id}": "GET PUT DELETE",
    "/os-cells/{id}/capacities": "GET",
    "/os-certificates": "POST",
    "/os-certificates/{id}": "GET",
    "/os-cloudpipe": "GET POST",
    "/os-cloudpipe/{id}": "PUT",
    "/os-fixed-ips/{id}": "GET",
    "/os-floating-ip-dns": "GET",
    "/os-floating-ip-dns/{id}": "PUT DELETE",
    "/os-floating-ip-dns/{domain_id}/entries/{id}": "GET PUT DELETE",
    "/os-floating-ips-bulk": "GET POST",
    "/os-floating-ips-bulk/{id}": "GET PUT",
    "/os-fping": "GET",
    "/os-fping/{id}": "GET",
    "/os-networks": "POST",
    "/os-networks/add": "POST",
    "/os-networks/{id}": "DELETE",
    "/os-security-group-default-rules": "GET POST",
    "/os-security-group-default-rules/{id}": "GET DELETE",
    "/os-tenant-networks": "POST",
    "/os-tenant-networks/{id}": "DELETE",
    "/servers/{server_id}/consoles": "GET POST",
    "/servers/{server_id}/consoles/{id}": "GET DELETE",
    "/servers/{server_id}/os-virtual-interfaces": "GET",
}

_LEFT_OUT = {
    "/images": "GET",
    "/images/detail": "GET",
    "/images/{id}": "GET DELETE",
    "/images/{image_id}/metadata": "GET POST PUT",
    "/images/{image_id}/metadata/{id}": "GET PUT DELETE",
    "/os-aggregates/{id}/images": "POST",
    "/os-assisted-volume-snapshots": "POST",
    "/os-assisted-volume-snapshots/{id}": "DELETE",
    "/os-baremetal-nodes": "GET POST",
    "/os-baremetal-nodes/{id}": "GET DELETE",
    "/os-floating-ip-pools": "GET",
    "/os-floating-ips": "GET POST",
    "/os-floating-ips/{id}": "GET DELETE",
    "/os-hosts": "GET",
    "/os-hosts/{id}": "GET PUT",
    "/os-hosts/{id}/reboot": "GET",
    "/os-hosts/{id}/shutdown": "GET",
    "/os-hosts/{id}/startup": "GET",
    "/os-networks": "GET",
    "/os-networks/{id}": "GET",
    "/os-security-group-rules": "POST",
    "/os-security-group-rules/{id}": "DELETE",
    "/os-security-groups": "GET POST",
    "/os-security-groups/{id}": "GET PUT DELETE",
    "/os-snapshots": "GET POST",
    "/os-snapshots/detail": "GET",
    "/os-snapshots/{id}": "GET DELETE",
    "/os-tenant-networks": "GET",
    "/os-tenant-networks/{id}": "GET",
    "/os-volumes": "GET POST",
    "/os-volumes/detail": "GET",
    "/os-volumes/{id}": "GET DELETE",
    "/os-volumes_boot": "GET POST",
    "/os-volumes_boot/detail": "GET",
    "/os-volumes_boot/{id}": "GET PUT DELETE",
}

# (path, action, kind)
_ACTIONS = (
    ("/os-fixed-ips/{id}/action", "reserve", "gone"),
    ("/os-fixed-ips/{id}/action", "unreserve", "gone"),
    ("/os-networks/{id}/action", "associate_host", "gone"),
    ("/os-networks/{id}/action", "disassociate", "gone"),
    ("/os-networks/{id}/action", "disassociate_host", "gone"),
    ("/os-networks/{id}/action", "disassociate_project", "gone"),
    ("/os-baremetal-nodes/{id}/action", "add_interface", "missing"),
    ("/os-baremetal-nodes/{id}/action", "remove_interface", "missing"),
    ("/servers/{id}/action", "addFixedIp", "missing"),
    ("/servers/{id}/action", "removeFixedIp", "missing"),
    ("/servers/{id}/action", "addFloatingIp", "missing"),
    ("/servers/{id}/action", "removeFloatingIp", "missing"),
    ("/servers/{id}/action", "injectNetworkInfo", "missing"),
    ("/servers/{id}/action", "resetNetwork", "gone"),
    ("/servers/{id}/action", "os-getRDPConsole", "gone"),
    ("/servers/{id}/action", "os-getSPICEConsole", "missing"),
    ("/servers/{id}/action", "os-getSerialConsole", "missing"),
)


def rows() -> Iterator[tuple[str, str, str | None, str]]:
    """(method, path, action, kind) of every retired call."""
    for table, kind in ((_REMOVED, "gone"), (_LEFT_OUT, "missing")):
        for path, methods in table.items():
            for method in methods.split():
                yield method, path, None, kind
    for path, action, kind in _ACTIONS:
        yield "POST", path, action, kind


class RetiredController:
    """Answers for them all."""

    @validated(query=ANY_QUERY)
    def gone(self, req: Request, **ids: str) -> None:
        """
        :raises Gone: always
        """
        raise exception.Gone

    @validated(query=ANY_QUERY)
    def missing(self, req: Request, **ids: str) -> None:
        """
        :raises NotFound: always
        """
        raise exception.NotFound
