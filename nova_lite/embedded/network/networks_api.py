"""/v2.0/networks and /v2.0/subnets."""

from __future__ import annotations

from typing import Any

from nova_lite.embedded.network import faults, ipam, nouns
from nova_lite.embedded.network.collection import Collection
from nova_lite.embedded.network.nouns import Record
from nova_lite.embedded.network.rules import Caller

# Ports of these owners go with their network: nobody would miss them.
AUTO_DELETED = ("network:dhcp", "network:distributed")
ZONE = "nova"


def open_to_all(network: Record) -> bool:
    return bool(network["shared"] or network["router:external"])


class NetworksApi(Collection):
    noun = nouns.NETWORK

    def sees(self, who: Caller, record: Record) -> bool:
        return who.owns(record) or open_to_all(record)

    def shown(self, who: Caller, record: Record) -> Record:
        subnets = [subnet["id"] for subnet in self._store.where("subnet", "network_id", record["id"])]
        return {**record, "subnets": subnets, "availability_zones": [ZONE], "l2_adjacency": True}

    def prepare(self, who: Caller, record: Record, given: Record) -> Record:
        if record["provider:network_type"] is None:
            record["provider:network_type"] = "local"
        return record

    def settle(self, who: Caller, old: Record, new: Record, given: Record) -> Record:
        if old["shared"] and not new["shared"]:
            owners = {port["project_id"] for port in self._store.where("port", "network_id", old["id"])}
            if owners - {old["project_id"], ""}:
                raise faults.clash(
                    "InvalidSharedSetting",
                    f"Unable to reconfigure sharing settings for network {old['id']}. Multiple tenants are using it.",
                )
        return new

    def check_delete(self, who: Caller, record: Record) -> None:
        ports = self._store.where("port", "network_id", record["id"])
        if any(port["device_owner"] not in AUTO_DELETED for port in ports):
            raise faults.clash(
                "NetworkInUse",
                f"Unable to complete operation on network {record['id']}. There are one or more ports still in use on "
                "the network.",
            )
        for port in ports:
            self._store.remove("port", port["id"])
        for subnet in self._store.where("subnet", "network_id", record["id"]):
            self._store.remove("subnet", subnet["id"])


class SubnetsApi(Collection):
    noun = nouns.SUBNET

    def _network(self, record: Record) -> Record:
        return self._store.get("network", record["network_id"])

    def sees(self, who: Caller, record: Record) -> bool:
        """An outer network is everybody's to route to; its addresses are not."""
        return who.owns(record) or bool(self._network(record)["shared"]) or who.owns(self._network(record))

    def changes(self, who: Caller, record: Record) -> bool:
        return who.owns(record) or who.owns(self._network(record))

    def prepare(self, who: Caller, record: Record, given: Record) -> Record:
        network = self._store.get("network", record["network_id"])
        if not (who.owns(network) or open_to_all(network)):
            raise faults.missing("network", record["network_id"])
        if not who.owns(network):
            raise faults.denied("create_subnet")
        if record["cidr"] is None:
            raise faults.invalid(
                "Bad subnets request: a subnetpool must be specified in the absence of a cidr", "BadRequest"
            )
        self._check_kind(record)
        if record["gateway_ip"] == "auto":
            is_blank = "gateway_ip" in given
            record["gateway_ip"] = None if is_blank else ipam.default_gateway(record["cidr"])
        record["dns_nameservers"] = record["dns_nameservers"] or []
        self._place(record)
        return {name: value for name, value in record.items() if name not in ("prefixlen", "use_default_subnetpool")}

    def _check_kind(self, record: Record) -> None:
        net = ipam.network_of(record)
        if net.version != record["ip_version"]:
            raise faults.invalid(f"cidr '{net}' does not match the ip_version '{record['ip_version']}'")
        if net.version == 4 and (record["ipv6_ra_mode"] or record["ipv6_address_mode"]):
            raise faults.invalid("ipv6_ra_mode and ipv6_address_mode are not valid when ip_version is 4")
        if ipam.is_automatic(record) and net.prefixlen != 64:
            raise faults.invalid(f"Invalid CIDR {net} for IPv6 address mode. OpenStack uses the EUI-64 address format")
        if net.prefixlen == net.max_prefixlen and record["enable_dhcp"]:
            raise faults.invalid(f"Invalid CIDR {net}: a subnet with DHCP needs room for hosts")
        for other in self._store.where("subnet", "network_id", record["network_id"]):
            if ipam.overlap(other, record):
                raise faults.invalid(
                    f"Requested subnet with cidr: {net} for network: {record['network_id']} "
                    "overlaps with another subnet"
                )

    def _place(self, record: Record) -> None:
        """Gateway and pools that fit together."""
        gateway = record["gateway_ip"]
        if gateway is not None:
            net = ipam.network_of(record)
            if f"{gateway}".count(":") > 0 and net.version == 4:
                raise faults.invalid(f"'{gateway}' is not an address of version 4")
        if record["allocation_pools"] is None:
            record["allocation_pools"] = ipam.default_pools(record["cidr"], gateway)
        else:
            ipam.check_pools(record["cidr"], record["allocation_pools"], gateway)

    def settle(self, who: Caller, old: Record, new: Record, given: Record) -> Record:
        if "gateway_ip" in given or "allocation_pools" in given:
            self._place(new)
        return new

    def check_delete(self, who: Caller, record: Record) -> None:
        held = [
            port for port in self._store.where("port", "network_id", record["network_id"])
            if any(fixed["subnet_id"] == record["id"] for fixed in port["fixed_ips"])
        ]  # fmt: skip
        if any(port["device_owner"] not in AUTO_DELETED and not ipam.is_automatic(record) for port in held):
            raise faults.clash(
                "SubnetInUse",
                f"Unable to complete operation on subnet {record['id']}: One or more ports have an IP allocation from "
                "this subnet.",
            )
        for port in held:
            kept: list[Any] = [fixed for fixed in port["fixed_ips"] if fixed["subnet_id"] != record["id"]]
            self._store.put("port", {**port, "fixed_ips": kept})
