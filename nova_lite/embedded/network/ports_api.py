"""/v2.0/ports: addresses from the subnets, security groups, and where a port is bound.

A port is bound as soon as it is told a host; this service has no agents that could fail, so a bound port is ACTIVE.
"""

from __future__ import annotations

import dataclasses
import secrets
from typing import Any

from nova_lite.embedded.network import faults, ipam, nouns
from nova_lite.embedded.network.collection import Collection
from nova_lite.embedded.network.groups_api import GroupsApi
from nova_lite.embedded.network.networks_api import open_to_all
from nova_lite.embedded.network.nouns import Record
from nova_lite.embedded.network.quotas import Quotas
from nova_lite.embedded.network.rules import Caller
from nova_lite.embedded.network.store import Store

_MAX_ADDRESSES = 20


@dataclasses.dataclass(frozen=True)
class Plug:
    """How hosts plug a bound port: ``user`` or ``bridge``, and the bridge's name."""

    vif_type: str = "user"
    bridge: str = "br0"

    def details(self) -> dict[str, Any]:
        found: dict[str, Any] = {"port_filter": False, "connectivity": "l2"}
        return found | ({"bridge_name": self.bridge} if self.vif_type == "bridge" else {})


class PortsApi(Collection):
    noun = nouns.PORT

    def __init__(self, store: Store, quotas: Quotas, groups: GroupsApi, plug: Plug) -> None:
        super().__init__(store, quotas)
        self._groups = groups
        self._plug = plug

    # -- who ------------------------------------------------------------------------------------------

    def _owns_network(self, who: Caller, record: Record) -> bool:
        return who.owns(self._store.get("network", record["network_id"]))

    def sees(self, who: Caller, record: Record) -> bool:
        return who.owns(record) or self._owns_network(who, record)

    def changes(self, who: Caller, record: Record) -> bool:
        return self.sees(who, record)

    def visible(self, who: Caller, params: Any) -> list[Record]:
        for name in ("device_id", "network_id"):
            if name in params:
                found = [port for value in set(params.getall(name)) for port in self._store.where("port", name, value)]
                return [port for port in found if self.sees(who, port)]
        return super().visible(who, params)

    # -- new and changed ------------------------------------------------------------------------------

    def prepare(self, who: Caller, record: Record, given: Record) -> Record:
        network = self._store.get("network", record["network_id"])
        if not (who.owns(network) or open_to_all(network)):
            raise faults.missing("network", record["network_id"])
        if not who.owns(network):
            if not network["shared"]:
                raise faults.denied("create_port")
            if "mac_address" in given or str(record["device_owner"]).startswith("network:"):
                raise faults.denied("create_port:mac_address")
        record["mac_address"] = self._mac(network, record)
        if record["port_security_enabled"] is None:
            record["port_security_enabled"] = network["port_security_enabled"]
        record["fixed_ips"] = self._addresses(network, record, record["fixed_ips"])
        record["security_groups"] = self._wanted_groups(who, record, record["security_groups"])
        return self._bound(record)

    def settle(self, who: Caller, old: Record, new: Record, given: Record) -> Record:
        network = self._store.get("network", old["network_id"])
        if "fixed_ips" in given:
            new["fixed_ips"] = self._addresses(network, new, new["fixed_ips"] or [])
        if "mac_address" in given and new["mac_address"] != old["mac_address"]:
            if old["binding:host_id"]:
                raise faults.clash(
                    "PortBound", f"Unable to complete operation on port {old['id']}, port is already bound."
                )
            if not who.owns(network):
                raise faults.denied("update_port:mac_address")
            new["mac_address"] = self._mac(network, new)
        if "security_groups" in given:
            new["security_groups"] = self._wanted_groups(who, new, new["security_groups"] or [])
        elif not new["port_security_enabled"] and new["security_groups"]:
            raise faults.clash(
                "PortSecurityPortHasSecurityGroup", "Port has security group associated. Cannot disable port security "
                "or ip address until security group is removed.",
            )  # fmt: skip
        return self._bound(new)

    def check_delete(self, who: Caller, record: Record) -> None:
        if record["device_owner"].startswith("network:router") and self._store.find("router", record["device_id"]):
            raise faults.clash(
                "ServicePortInUse",
                f"Port {record['id']} cannot be deleted directly via the port API: has device owner "
                f"{record['device_owner']}.",
            )
        for floating in self._store.all("floatingip"):
            if floating["port_id"] == record["id"]:
                free = {"port_id": None, "fixed_ip_address": None, "router_id": None, "status": "DOWN"}
                self._store.put("floatingip", {**floating, **free})

    def _bound(self, record: Record) -> Record:
        record["binding:host_id"] = record["binding:host_id"] or ""
        record["binding:profile"] = record["binding:profile"] or {}
        is_up = bool(record["binding:host_id"] and record["device_id"] and record["admin_state_up"])
        return {**record, "status": "ACTIVE" if is_up else "DOWN"}

    def shown(self, who: Caller, record: Record) -> Record:
        if not who.is_trusted:
            return record
        is_bound = bool(record["binding:host_id"])
        return {
            **record,
            "binding:vif_type": self._plug.vif_type if is_bound else "unbound",
            "binding:vif_details": self._plug.details() if is_bound else {},
        }

    # -- parts ----------------------------------------------------------------------------------------

    def _mac(self, network: Record, record: Record) -> str:
        taken = {
            port["mac_address"] for port in self._store.where("port", "network_id", network["id"])
            if port["id"] != record["id"]
        }  # fmt: skip
        wanted: str | None = record["mac_address"]
        if wanted is not None:
            if wanted in taken:
                raise faults.clash(
                    "MacAddressInUse",
                    f"Unable to complete operation for network {network['id']}. The mac address {wanted} is in use.",
                )
            return wanted
        while True:
            made = "fa:16:3e:" + ":".join(f"{byte:02x}" for byte in secrets.token_bytes(3))
            if made not in taken:
                return made

    def _wanted_groups(self, who: Caller, record: Record, wanted: list[str] | None) -> list[str]:
        if not record["port_security_enabled"]:
            if wanted:
                raise faults.clash(
                    "PortSecurityAndIPRequiredForSecurityGroups",
                    "Port security must be enabled and port must have an IP address in order to use security groups.",
                )
            return []
        if wanted is None:
            is_service = record["device_owner"].startswith("network:") or not record["project_id"]
            return [] if is_service else [self._groups.default(record["project_id"])["id"]]
        for ident in wanted:
            group = self._store.find("security_group", ident)
            if group is None or not (who.owns(group) or group["project_id"] == record["project_id"]):
                raise faults.missing("security_group", ident)
        return list(dict.fromkeys(wanted))

    def _addresses(self, network: Record, record: Record, wanted: list[dict[str, str]] | None) -> list[dict[str, str]]:
        """The port's addresses: one of each kind of subnet where nothing was asked for."""
        subnets = self._store.where("subnet", "network_id", network["id"])
        taken = self._taken(network, record)
        if wanted is None:
            return self._any_addresses(network, record, subnets, taken)
        if len(wanted) > _MAX_ADDRESSES:
            raise faults.invalid("Exceeded maximum amount of fixed ips per port.", "HTTPBadRequest")
        given: list[dict[str, str]] = []
        for each in wanted:
            if each:
                found = self._one_address(network, record, subnets, each, taken)
                taken.add((found["subnet_id"], found["ip_address"]))
                given.append(found)
        return given

    def _taken(self, network: Record, record: Record) -> set[tuple[str, str]]:
        return {
            (fixed["subnet_id"], fixed["ip_address"])
            for port in self._store.where("port", "network_id", network["id"]) if port["id"] != record["id"]
            for fixed in port["fixed_ips"]
        }  # fmt: skip

    def _any_addresses(
        self, network: Record, record: Record, subnets: list[Record], taken: set[tuple[str, str]]
    ) -> list[dict[str, str]]:
        given: list[dict[str, str]] = []
        for version in (4, 6):
            mine = [each for each in subnets if each["ip_version"] == version and not ipam.is_automatic(each)]
            found = next(filter(None, (self._free(each, taken) for each in mine)), None)
            if mine and found is None:
                raise _exhausted(network["id"])
            if found is not None:
                given.append(found)
        given += [
            {"subnet_id": each["id"], "ip_address": ipam.eui64(each, record["mac_address"])}
            for each in subnets if ipam.is_automatic(each)
        ]  # fmt: skip
        return given

    def _free(self, subnet: Record, taken: set[tuple[str, str]]) -> dict[str, str] | None:
        found = ipam.pick(subnet, {address for ident, address in taken if ident == subnet["id"]})
        return None if found is None else {"subnet_id": subnet["id"], "ip_address": found}

    def _one_address(
        self, network: Record, record: Record, subnets: list[Record], wanted: dict[str, str],
        taken: set[tuple[str, str]],
    ) -> dict[str, str]:  # fmt: skip
        subnet = self._subnet_for(network, subnets, wanted)
        address = wanted.get("ip_address")
        if address is None:
            if ipam.is_automatic(subnet):
                return {"subnet_id": subnet["id"], "ip_address": ipam.eui64(subnet, record["mac_address"])}
            found = self._free(subnet, taken)
            if found is None:
                raise _exhausted(network["id"])
            return found
        ipam.check_address(subnet, address)
        if (subnet["id"], address) in taken:
            raise faults.clash(
                "IpAddressAlreadyAllocated", f"IP address {address} already allocated in subnet {subnet['id']}"
            )
        return {"subnet_id": subnet["id"], "ip_address": address}

    def _subnet_for(self, network: Record, subnets: list[Record], wanted: dict[str, str]) -> Record:
        if "subnet_id" in wanted:
            subnet = self._store.get("subnet", wanted["subnet_id"])
            if subnet["network_id"] != network["id"]:
                raise faults.invalid(
                    f"Failed to create port on network {network['id']}, because fixed_ips included invalid subnet "
                    f"{subnet['id']}"
                )
            return subnet
        address = wanted["ip_address"]
        for subnet in subnets:
            try:
                ipam.check_address(subnet, address)
            except faults.Refused:
                continue
            return subnet
        raise faults.invalid(
            f"IP address {address} is not a valid IP for any of the subnets on the specified network.",
            "InvalidIpForNetwork",
        )


def _exhausted(network_id: str) -> faults.Clash:
    return faults.clash("IpAddressGenerationFailure", f"No more IP addresses available on network {network_id}.")
