"""/v2.0/security-groups and their rules; every project has a group "default", made when it is first looked for."""

from __future__ import annotations

import ipaddress
from typing import Any

from nova_lite.embedded.network import faults, nouns
from nova_lite.embedded.network.collection import Collection
from nova_lite.embedded.network.nouns import Record
from nova_lite.embedded.network.quotas import Quotas
from nova_lite.embedded.network.rules import Caller
from nova_lite.embedded.network.store import Store

DEFAULT = "default"
_SERVICE = Caller("", frozenset(("admin",)))
_ETHERTYPES = ("IPv4", "IPv6")
_WITH_PORTS = ("tcp", "udp", "sctp", "dccp", "udplite", "6", "17", "132", "33", "136")


class GroupsApi(Collection):
    noun = nouns.SECURITY_GROUP

    def __init__(self, store: Store, quotas: Quotas, rules_api: RulesApi) -> None:
        super().__init__(store, quotas)
        self._rules = rules_api

    def default(self, project_id: str) -> Record:
        """The project's group "default"."""
        with self._store.change():
            for group in self._store.where("security_group", "project_id", project_id):
                if group["name"] == DEFAULT:
                    return group
            return self._make_default(project_id)

    def _make_default(self, project_id: str) -> Record:
        group = self.make(
            _SERVICE, {"name": DEFAULT, "description": "Default security group", "project_id": project_id}
        )
        for ethertype in _ETHERTYPES:
            rule = {"security_group_id": group["id"], "ethertype": ethertype, "project_id": project_id}
            self._rules.make(_SERVICE, {**rule, "direction": "ingress", "remote_group_id": group["id"]})
        return group

    def visible(self, who: Caller, params: Any) -> list[Record]:
        if who.project_id:
            self.default(who.project_id)
        return super().visible(who, params)

    def prepare(self, who: Caller, record: Record, given: Record) -> Record:
        if record["name"] == DEFAULT:
            others = self._store.where("security_group", "project_id", record["project_id"])
            if who is not _SERVICE or any(group["name"] == DEFAULT for group in others):
                raise faults.clash("SecurityGroupDefaultAlreadyExists", "Default security group already exists.")
        elif record["project_id"]:
            self.default(record["project_id"])
        return record

    def make(self, who: Caller, given: Record) -> Record:
        """A new group lets everything out."""
        record = super().make(who, given)
        for ethertype in _ETHERTYPES:
            rule = {"security_group_id": record["id"], "ethertype": ethertype, "project_id": record["project_id"]}
            self._rules.make(_SERVICE, {**rule, "direction": "egress"})
        return record

    def settle(self, who: Caller, old: Record, new: Record, given: Record) -> Record:
        if old["name"] != DEFAULT and new["name"] == DEFAULT:
            raise faults.clash("SecurityGroupDefaultAlreadyExists", "Default security group already exists.")
        if old["name"] == DEFAULT and new["name"] != DEFAULT:
            raise faults.clash("SecurityGroupCannotUpdateDefault", "Updating default security group not allowed.")
        return new

    def check_delete(self, who: Caller, record: Record) -> None:
        if record["name"] == DEFAULT and not who.is_admin:
            raise faults.clash(
                "SecurityGroupCannotRemoveDefault", "Insufficient rights for removing default security group."
            )
        if any(record["id"] in port["security_groups"] for port in self._store.all("port")):
            raise faults.clash("SecurityGroupInUse", f"Security Group {record['id']} in use.")
        for rule in self._store.where("security_group_rule", "security_group_id", record["id"]):
            self._store.remove("security_group_rule", rule["id"])
        for rule in self._store.all("security_group_rule"):
            if rule["remote_group_id"] == record["id"]:
                self._store.remove("security_group_rule", rule["id"])

    def shown(self, who: Caller, record: Record) -> Record:
        rules = self._store.where("security_group_rule", "security_group_id", record["id"])
        return {**record, "security_group_rules": [self._rules.view(who, rule) for rule in rules]}


class RulesApi(Collection):
    noun = nouns.SECURITY_GROUP_RULE

    def prepare(self, who: Caller, record: Record, given: Record) -> Record:
        group = self._group(who, record["security_group_id"])
        if record["remote_group_id"] is not None:
            self._group(who, record["remote_group_id"])
        record = {**record, "project_id": group["project_id"], "belongs_to_default_sg": group["name"] == DEFAULT}
        self._check(record)
        for other in self._store.where("security_group_rule", "security_group_id", group["id"]):
            if all(other[name] == record[name] for name in self.noun.fields if name not in ("description",)):
                raise faults.clash(
                    "SecurityGroupRuleExists", f"Security group rule already exists. Rule id is {other['id']}."
                )
        return record

    def _group(self, who: Caller, ident: str) -> Record:
        group = self._store.get("security_group", ident)
        if not who.owns(group):
            raise faults.missing("security_group", ident)
        return group

    def _check(self, record: Record) -> None:
        low, high, protocol = record["port_range_min"], record["port_range_max"], record["protocol"]
        prefix = record["remote_ip_prefix"]
        if prefix is not None and record["remote_group_id"] is not None:
            raise faults.invalid(
                "Only remote_ip_prefix or remote_group_id may be provided.", "SecurityGroupRemoteGroupAndRemoteIpPrefix"
            )
        if prefix is not None and f"IPv{ipaddress.ip_network(prefix).version}" != record["ethertype"]:
            raise faults.invalid(
                f"Conflicting value ethertype {record['ethertype']} for CIDR {prefix}",
                "SecurityGroupRuleParameterConflict",
            )
        if low is None and high is None:
            return
        if protocol is None:
            raise faults.invalid(
                "Must also specify protocol if port range is given.", "SecurityGroupProtocolRequiredWithPorts"
            )
        if protocol in _WITH_PORTS and (low is None or high is None or not 1 <= low <= high):
            raise faults.invalid(
                "For TCP/UDP protocols, port_range_min must be <= port_range_max", "SecurityGroupInvalidPortRange"
            )
        if protocol in ("icmp", "ipv6-icmp", "icmpv6", "1", "58"):
            if low is None:
                raise faults.invalid(
                    f"ICMP code (port-range-max) {high} is provided but ICMP type (port-range-min) is missing.",
                    "SecurityGroupMissingIcmpType",
                )
            for field, name, value in (("type", "port_range_min", low), ("code", "port_range_max", high)):
                if value is not None and not 0 <= value <= 255:
                    raise faults.invalid(
                        f"Invalid value for ICMP {field} ({name}) {value}. It must be 0 to 255.",
                        "SecurityGroupInvalidIcmpValue",
                    )

    def settle(self, who: Caller, old: Record, new: Record, given: Record) -> Record:
        raise faults.invalid("Security group rules are not changed, but made anew", "HTTPBadRequest")
