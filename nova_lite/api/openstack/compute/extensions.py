"""Names of features: a list frozen long ago, which old clients and Horizon still read."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.api.openstack.request import Request

_ALIASES = (
    "NMN OS-DCF OS-EXT-AZ OS-EXT-IMG-SIZE OS-EXT-IPS OS-EXT-IPS-MAC OS-EXT-SRV-ATTR OS-EXT-STS OS-FLV-DISABLED "
    "OS-FLV-EXT-DATA OS-SCH-HNT OS-SRV-USG os-access-ips os-admin-actions os-admin-password os-agents "
    "os-aggregates os-assisted-volume-snapshots os-attach-interfaces os-availability-zone "
    "os-baremetal-ext-status os-baremetal-nodes os-block-device-mapping os-block-device-mapping-v2-boot "
    "os-cell-capacities os-cells os-certificates os-cloudpipe os-cloudpipe-update os-config-drive "
    "os-console-auth-tokens os-console-output os-consoles os-create-backup os-create-server-ext "
    "os-deferred-delete os-evacuate os-extended-evacuate-find-host os-extended-floating-ips "
    "os-extended-hypervisors os-extended-networks os-extended-quotas os-extended-rescue-with-image "
    "os-extended-services os-extended-services-delete os-extended-status os-extended-volumes os-fixed-ips "
    "os-flavor-access os-flavor-extra-specs os-flavor-manage os-flavor-rxtx os-flavor-swap os-floating-ip-dns "
    "os-floating-ip-pools os-floating-ips os-floating-ips-bulk os-fping os-hide-server-addresses os-hosts "
    "os-hypervisor-status os-hypervisors os-instance-actions os-instance_usage_audit_log os-keypairs "
    "os-lock-server os-migrate-server os-migrations os-multiple-create os-networks os-networks-associate "
    "os-pause-server os-personality os-preserve-ephemeral-rebuild os-quota-class-sets os-quota-sets os-rescue "
    "os-security-group-default-rules os-security-groups os-server-diagnostics os-server-external-events "
    "os-server-group-quotas os-server-groups os-server-list-multi-status os-server-password "
    "os-server-sort-keys os-server-start-stop os-services os-shelve os-simple-tenant-usage os-suspend-server "
    "os-tenant-networks os-used-limits os-used-limits-for-admin os-user-data os-user-quotas "
    "os-virtual-interfaces os-volume-attachment-update os-volumes"
)
ALIASES = tuple(_ALIASES.split())
# Where the name is not the alias in other letters.
_NAMES = {
    "NMN": "Multinic",
    "OS-DCF": "DiskConfig",
    "OS-EXT-AZ": "ExtendedAvailabilityZone",
    "OS-EXT-IMG-SIZE": "ImageSize",
    "OS-EXT-IPS": "ExtendedIps",
    "OS-EXT-IPS-MAC": "ExtendedIpsMac",
    "OS-EXT-SRV-ATTR": "ExtendedServerAttributes",
    "OS-EXT-STS": "ExtendedStatus",
    "OS-FLV-DISABLED": "FlavorDisabled",
    "OS-FLV-EXT-DATA": "FlavorExtraData",
    "OS-SCH-HNT": "SchedulerHints",
    "OS-SRV-USG": "ServerUsage",
    "os-access-ips": "AccessIPs",
    "os-baremetal-ext-status": "BareMetalExtStatus",
    "os-baremetal-nodes": "BareMetalNodes",
    "os-create-server-ext": "Createserverext",
    "os-fixed-ips": "FixedIPs",
    "os-instance_usage_audit_log": "OSInstanceUsageAuditLog",
    "os-networks-associate": "NetworkAssociationSupport",
    "os-preserve-ephemeral-rebuild": "PreserveEphemeralOnRebuild",
    "os-quota-class-sets": "QuotaClasses",
    "os-quota-sets": "Quotas",
    "os-tenant-networks": "OSTenantNetworks",
}


def _extension(alias: str) -> dict[str, Any]:
    words = alias.removeprefix("os-").replace("_", "-").split("-")
    return {
        "alias": alias,
        "name": _NAMES.get(alias) or "".join(word[:1].upper() + word[1:] for word in words),
        "description": f"The calls and fields once known as {alias}.",
        "namespace": "http://docs.openstack.org/compute/ext/fake_xml",
        "updated": "2014-12-03T00:00:00Z",
        "links": [],
    }


_EXTENSIONS = {alias: _extension(alias) for alias in ALIASES}


class ExtensionsController:
    def index(self, req: Request) -> dict[str, Any]:
        return {"extensions": list(_EXTENSIONS.values())}

    def show(self, req: Request, id: str) -> dict[str, Any]:
        """
        :raises NotFound: no such name
        """
        if id not in _EXTENSIONS:
            raise exception.NotFound
        return {"extension": _EXTENSIONS[id]}
