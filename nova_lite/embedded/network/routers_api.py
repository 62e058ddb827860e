"""/v2.0/routers and /v2.0/floatingips: the books of both; no packet is ever routed here."""

from __future__ import annotations

from typing import Any

import webob

from nova_lite.embedded import bodies
from nova_lite.embedded.network import faults, ipam, nouns, rules
from nova_lite.embedded.network.collection import BODY_LIMIT, Collection
from nova_lite.embedded.network.networks_api import ZONE
from nova_lite.embedded.network.nouns import Record
from nova_lite.embedded.network.ports_api import PortsApi
from nova_lite.embedded.network.quotas import Quotas
from nova_lite.embedded.network.rules import Caller
from nova_lite.embedded.network.store import Store
from nova_lite.embedded.wsgi import Route, json_response

_SERVICE = Caller("", frozenset(("admin",)))
INTERFACE, GATEWAY, FLOATING = "network:router_interface", "network:router_gateway", "network:floatingip"


class RoutersApi(Collection):
    noun = nouns.ROUTER

    def __init__(self, store: Store, quotas: Quotas, ports: PortsApi) -> None:
        super().__init__(store, quotas)
        self._ports = ports

    def routes(self) -> list[Route]:
        one = self.noun.path + "/{ident}"
        return [
            *super().routes(),
            Route("PUT", one + "/add_router_interface", self.add_interface),
            Route("PUT", one + "/remove_router_interface", self.remove_interface),
        ]

    def shown(self, who: Caller, record: Record) -> Record:
        return {**record, "availability_zones": [ZONE]}

    def prepare(self, who: Caller, record: Record, given: Record) -> Record:
        record["external_gateway_info"] = self._gateway(record, record["external_gateway_info"])
        return record

    def settle(self, who: Caller, old: Record, new: Record, given: Record) -> Record:
        if "external_gateway_info" in given:
            self._drop_gateway(old)
            new["external_gateway_info"] = self._gateway(new, new["external_gateway_info"])
        return new

    def _gateway(self, record: Record, wanted: dict[str, Any] | None) -> dict[str, Any] | None:
        """A port on the external network, as the gateway's foot there."""
        if not wanted:
            return None
        network = self._store.get("network", wanted["network_id"])
        if not network["router:external"]:
            raise faults.invalid(
                f"Bad router request: Network {network['id']} is not an external network.", "BadRequest"
            )
        given = {
            "network_id": network["id"], "device_id": record["id"], "device_owner": GATEWAY, "project_id": "",
            "fixed_ips": wanted.get("external_fixed_ips"), "binding:host_id": "",
        }  # fmt: skip
        port = self._ports.make(_SERVICE, {name: value for name, value in given.items() if value is not None})
        return {
            "network_id": network["id"], "enable_snat": wanted.get("enable_snat", True),
            "external_fixed_ips": port["fixed_ips"],
        }  # fmt: skip

    def _own_ports(self, record: Record, owner: str) -> list[Record]:
        found = self._store.where("port", "device_id", record["id"])
        return [port for port in found if port["device_owner"] == owner]

    def _drop_gateway(self, record: Record) -> None:
        if any(floating["router_id"] == record["id"] for floating in self._store.all("floatingip")):
            raise faults.clash(
                "RouterExternalGatewayInUseByFloatingIp",
                f"Gateway cannot be updated for router {record['id']}, since a gateway to external network is required "
                "by one or more floating IPs.",
            )
        for port in self._own_ports(record, GATEWAY):
            self._store.remove("port", port["id"])

    def check_delete(self, who: Caller, record: Record) -> None:
        if self._own_ports(record, INTERFACE):
            raise faults.clash("RouterInUse", f"Router {record['id']} still has ports")
        self._drop_gateway(record)

    # -- interfaces -----------------------------------------------------------------------------------

    def _wanted(self, req: webob.Request) -> Record:
        body = bodies.read_json(req, BODY_LIMIT)
        if not isinstance(body, dict) or not (body.keys() & {"subnet_id", "port_id"}):
            raise faults.invalid("Bad router request: Either subnet_id or port_id must be specified.", "BadRequest")
        return {name: str(value) for name, value in body.items()}

    def add_interface(self, req: webob.Request, ident: str) -> webob.Response:
        who, wanted = rules.caller(req), self._wanted(req)
        with self._store.change():
            record = self.changeable(who, ident, "add_router_interface")
            port = self._given_port(who, record, wanted) if "port_id" in wanted else self._new_port(who, record, wanted)
        return json_response(_interface(record, port))

    def _given_port(self, who: Caller, record: Record, wanted: Record) -> Record:
        port = self._ports.seen(who, wanted["port_id"])
        if port["device_id"]:
            raise faults.clash("PortInUse", f"Unable to complete operation on port {port['id']}. It is in use.")
        return self._store.put(
            "port", {**port, "device_id": record["id"], "device_owner": INTERFACE, "status": "ACTIVE"}
        )

    def _new_port(self, who: Caller, record: Record, wanted: Record) -> Record:
        subnet = self._store.get("subnet", wanted["subnet_id"])
        if not who.owns(subnet):
            raise faults.missing("subnet", wanted["subnet_id"])
        if subnet["gateway_ip"] is None:
            raise faults.invalid(
                "Bad router request: Subnet for router interface must have a gateway IP.", "BadRequest"
            )
        self._check_apart(record, subnet)
        given = {
            "network_id": subnet["network_id"], "device_id": record["id"], "device_owner": INTERFACE,
            "project_id": record["project_id"],
            "fixed_ips": [{"subnet_id": subnet["id"], "ip_address": subnet["gateway_ip"]}],
        }  # fmt: skip
        port = self._ports.make(_SERVICE, given)
        return self._store.put("port", {**port, "status": "ACTIVE"})

    def _check_apart(self, record: Record, subnet: Record) -> None:
        """:raises Refused: the router has the subnet already, or one with the same addresses."""
        for port in self._own_ports(record, INTERFACE):
            for fixed in port["fixed_ips"]:
                other = self._store.get("subnet", fixed["subnet_id"])
                if other["id"] == subnet["id"]:
                    raise faults.invalid(
                        f"Bad router request: Router already has a port on subnet {subnet['id']}.", "BadRequest"
                    )
                if ipam.overlap(other, subnet):
                    raise faults.invalid(
                        f"Bad router request: Cidr {subnet['cidr']} of subnet {subnet['id']} overlaps with cidr "
                        f"{other['cidr']} of subnet {other['id']}.",
                        "BadRequest",
                    )

    def remove_interface(self, req: webob.Request, ident: str) -> webob.Response:
        who, wanted = rules.caller(req), self._wanted(req)
        with self._store.change():
            record = self.changeable(who, ident, "remove_router_interface")
            for port in self._own_ports(record, INTERFACE):
                on = {fixed["subnet_id"] for fixed in port["fixed_ips"]}
                if wanted.get("port_id", port["id"]) == port["id"] and wanted.get("subnet_id") in (None, *on):
                    self._store.remove("port", port["id"])
                    return json_response(_interface(record, port))
        raise faults.Missing(f"Router {ident} has no such interface", type="RouterInterfaceNotFound")


def _interface(record: Record, port: Record) -> dict[str, Any]:
    subnets = [fixed["subnet_id"] for fixed in port["fixed_ips"]]
    return {
        "id": record["id"], "tenant_id": record["project_id"], "project_id": record["project_id"],
        "port_id": port["id"], "network_id": port["network_id"], "subnet_id": subnets[0] if subnets else None,
        "subnet_ids": subnets, "tags": [],
    }  # fmt: skip


class FloatingIpsApi(Collection):
    noun = nouns.FLOATING_IP

    def __init__(self, store: Store, quotas: Quotas, ports: PortsApi) -> None:
        super().__init__(store, quotas)
        self._ports = ports

    def prepare(self, who: Caller, record: Record, given: Record) -> Record:
        network = self._store.get("network", record["floating_network_id"])
        if not network["router:external"]:
            raise faults.invalid(
                f"Bad floatingip request: Network {network['id']} is not a valid external network.", "BadRequest"
            )
        fixed = {"subnet_id": record.pop("subnet_id"), "ip_address": record["floating_ip_address"]}
        fixed = {name: value for name, value in fixed.items() if value is not None}
        port = self._ports.make(
            _SERVICE,
            {"network_id": network["id"], "device_id": record["id"], "device_owner": FLOATING, "project_id": "",
             **({"fixed_ips": [fixed]} if fixed else {})},
        )  # fmt: skip
        if not port["fixed_ips"]:
            self._store.remove("port", port["id"])
            raise faults.clash(
                "ExternalIpAddressExhausted",
                f"Unable to find any IP address on external network {network['id']}.",
            )
        record["floating_ip_address"] = port["fixed_ips"][0]["ip_address"]
        return self._linked(who, record)

    def settle(self, who: Caller, old: Record, new: Record, given: Record) -> Record:
        if "port_id" in given and "fixed_ip_address" not in given:
            new["fixed_ip_address"] = None
        return self._linked(who, new)

    def _linked(self, who: Caller, record: Record) -> Record:
        """To which address it leads, and through which router."""
        if record["port_id"] is None:
            return {**record, "fixed_ip_address": None, "router_id": None, "status": "DOWN", "port_details": None}
        port = self._ports.seen(who, record["port_id"])
        four = [each for each in port["fixed_ips"] if ":" not in each["ip_address"]]
        wanted = record["fixed_ip_address"] or (four[0]["ip_address"] if four else None)
        found = next((each for each in port["fixed_ips"] if each["ip_address"] == wanted), None)
        if found is None:
            raise faults.invalid(
                f"Bad floatingip request: Port {port['id']} does not have fixed ip {wanted}.", "BadRequest"
            )
        for other in self._store.all("floatingip"):
            if other["id"] != record["id"] and (other["port_id"], other["fixed_ip_address"]) == (port["id"], wanted):
                raise faults.clash(
                    "FloatingIPPortAlreadyAssociated",
                    f"Cannot associate floating IP {record['floating_ip_address']} with port {port['id']} using fixed "
                    f"IP {wanted}, as that fixed IP already has a floating IP.",
                )
        return {
            **record, "fixed_ip_address": wanted, "router_id": self._router(record, found["subnet_id"]),
            "status": "ACTIVE",
        }  # fmt: skip

    def _router(self, record: Record, subnet_id: str) -> str:
        for port in self._store.all("port"):
            if port["device_owner"] == INTERFACE and any(each["subnet_id"] == subnet_id for each in port["fixed_ips"]):
                router = self._store.find("router", port["device_id"])
                info = router["external_gateway_info"] if router else None
                if router and info and info["network_id"] == record["floating_network_id"]:
                    return str(router["id"])
        raise faults.Missing(
            f"External network {record['floating_network_id']} is not reachable from subnet {subnet_id}.  Therefore, "
            "cannot associate Port with a Floating IP.",
            type="ExternalGatewayForFloatingIPNotFound",
        )

    def check_delete(self, who: Caller, record: Record) -> None:
        for port in self._store.where("port", "device_id", record["id"]):
            self._store.remove("port", port["id"])
