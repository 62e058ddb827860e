"""Interfaces from a network service: ports, which carry their server's id, so that a crash loses none.

A port that we made says so in its description, or its server remembers it, and is deleted with its server; a user's own
port is only let go.
What the port's binding says decides how the driver plugs it.
"""

from __future__ import annotations

import contextlib
import copy
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from nova_lite import exception
from nova_lite.context import RequestContext
from nova_lite.network import errors, vifs
from nova_lite.network.api import API, Requests, Wanted
from nova_lite.network.choice import Choice
from nova_lite.network.facts import Facts
from nova_lite.network.groups import Groups
from nova_lite.network.neutron import Json, Neutron
from nova_lite.objects import Instance, NetworkRequest, Port, Vif

LOG = logging.getLogger(__name__)

_UNBOUND: dict[str, Any] = {"binding:host_id": None, "binding:profile": {}}
_FREE: dict[str, Any] = {"device_id": "", "device_owner": "", **_UNBOUND}
# Looks at one port that its service itself goes on changing.
_LOOKS = 10


class NetworkService(API):
    """Acts as nova-lite itself, but for what a client's own eyes must judge."""

    def __init__(self, neutron: Neutron, ovs_bridge: str = "br-int") -> None:
        self._neutron = neutron
        self._groups = Groups(neutron)
        self._choice = Choice(neutron, self._groups)
        self._facts = Facts(neutron, self._groups)
        self._ovs_bridge = ovs_bridge
        self._before_change: Callable[[], object] = lambda: None

    def fenced(self, check: Callable[[], object]) -> API:
        found = copy.copy(self)
        found._before_change = check
        return found

    def _proving(self, prove: Callable[[], object]) -> NetworkService:
        """This, with one question more before each change."""
        found, before = copy.copy(self), self._before_change
        found._before_change = lambda: (before(), prove())
        return found

    def validate(
        self, ctxt: RequestContext, requests: Requests, groups: Sequence[str] = (), count: int = 1
    ) -> Wanted:
        return self._choice.judge(ctxt, requests, groups, count)

    # -- a server's ports -----------------------------------------------------------------------------

    def allocate(
        self, ctxt: RequestContext, instance: Instance, requests: Requests, group_ids: Sequence[str] = ()
    ) -> tuple[Vif, ...]:
        """What a former attempt made is found by the server's id and used again."""
        former = self._in_order(instance)
        ports = [self._port_for(instance, request, group_ids, former) for request in requests]
        tags = {port["id"]: request.tag for port, request in zip(ports, requests, strict=True)}
        return self._vifs(instance, ports, tags)

    def attach(self, ctxt: RequestContext, instance: Instance, request: NetworkRequest, key: str) -> Vif:
        """``key`` is in the port's description: a second try finds the first one's."""
        former = self._ports_of_attach(instance, request, key)
        port = self._port_for(instance, request, (), former, key)
        return self._vifs(instance, [port], {port["id"]: request.tag})[0]

    def attached(
        self, ctxt: RequestContext, instance: Instance, request: NetworkRequest, key: str
    ) -> tuple[Vif, ...]:
        return self._vifs(instance, self._ports_of_attach(instance, request, key), {})

    def _ports_of_attach(self, instance: Instance, request: NetworkRequest, key: str) -> list[Json]:
        return [
            port for port in self._ports(instance)
            if port["id"] == request.port_id or port.get("description") == vifs.made(key)
        ]  # fmt: skip

    def detach(self, ctxt: RequestContext, instance: Instance, port_id: str) -> None:
        for port in self._ports(instance):
            if port["id"] == port_id:
                self._while_here(port, instance, None, self._let_go)

    def move(
        self, ctxt: RequestContext, instance: Instance, host: str, source: str | None = None,
        prove: Callable[[], object] | None = None,
    ) -> tuple[Vif, ...]:  # fmt: skip
        by = self if prove is None else self._proving(prove)
        ports = [
            by._bind(port, instance, host) for port in self._in_order(instance)
            if source is None or (port.get("binding:host_id") or "") == source
        ]  # fmt: skip
        return self._vifs(instance, ports, _tags(instance), self._floating(ports))

    def unbind(self, ctxt: RequestContext, instance: Instance, host: str) -> None:
        for port in self._ports(instance):
            self._while_here(port, instance, host, lambda seen, _: self._update(seen, _UNBOUND, _revision(seen)))

    def deallocate(self, ctxt: RequestContext, instance: Instance, host: str | None = None) -> None:
        for port in self._ports(instance):
            self._while_here(port, instance, host, self._let_go)

    def interfaces(self, ctxt: RequestContext, instance: Instance) -> tuple[Vif, ...]:
        ports = self._in_order(instance)
        return self._vifs(instance, ports, _tags(instance), self._floating(ports))

    def _ports(self, instance: Instance) -> list[Json]:
        """Whoever writes a server's id on another project's port shall not get it into that server."""
        return self._neutron.list(None, "ports", device_id=instance.uuid, tenant_id=instance.project_id)

    def _in_order(self, instance: Instance) -> list[Json]:
        """The ports in the order in which the server knows them; new ones last."""
        places = {vif.id: place for place, vif in enumerate(instance.network_info)}
        return sorted(self._ports(instance), key=lambda port: places.get(port["id"], len(places)))

    def _floating(self, ports: Iterable[Json]) -> vifs.Floating:
        """Outer addresses by port and inner address. New ports have none, so that only these are asked for."""
        ids = [port["id"] for port in ports]
        try:
            found = self._neutron.list(None, "floatingips", port_id=ids) if ids else []
        except errors.Gone:  # a network service without routers
            return {}
        return {(each["port_id"], each["fixed_ip_address"]): each["floating_ip_address"] for each in found}

    def _vifs(
        self, instance: Instance, ports: Iterable[Json], tags: dict[str, str | None],
        floating: vifs.Floating | None = None,
    ) -> tuple[Vif, ...]:
        found = list(ports)
        facts = self._facts.of(found)
        return tuple(
            vifs.vif(
                port, facts.networks.get(port["network_id"], {}), facts.subnets, facts.groups, self._ovs_bridge,
                tags.get(port["id"]), floating or {}, preserved=not vifs.goes_with(port, instance),
            )
            for port in found
        )  # fmt: skip

    # -- one port -------------------------------------------------------------------------------------

    def _port_for(
        self, instance: Instance, request: NetworkRequest, group_ids: Sequence[str], former: list[Json], key: str = ""
    ) -> Json:
        """The port of a request, bound to the server's host; ``former`` loses the one that is used."""
        host = str(instance.host)
        for port in [each for each in former if _fits(each, request, instance)]:
            former.remove(port)
            with contextlib.suppress(exception.PortNotFound):  # who made it has taken it away meanwhile
                return self._bind(port, instance, host)
        if request.port_id is not None:
            return self._take(request.port_id, instance, host)
        return self._make(instance, request, group_ids, host, key)

    def _take(self, port_id: str, instance: Instance, host: str) -> Json:
        """A user's port; who takes it first has it."""
        port = self._look(port_id)
        if port["device_id"] not in ("", instance.uuid):
            raise exception.PortInUse(port_id=port_id)
        if port.get("project_id", port.get("tenant_id")) != instance.project_id:
            raise exception.PortNotFound(port_id=port_id)
        return self._bind(port, instance, host)

    def _make(
        self, instance: Instance, request: NetworkRequest, group_ids: Sequence[str], host: str, key: str
    ) -> Json:
        network = self._facts.network(str(request.network_id))
        body: dict[str, Any] = {
            "network_id": request.network_id, "tenant_id": instance.project_id, "admin_state_up": True,
            "description": vifs.made(key), **_bound(instance, host),
        }  # fmt: skip
        if request.fixed_ip:
            body["fixed_ips"] = [{"ip_address": request.fixed_ip}]
        if group_ids and network.get("port_security_enabled", True):
            body["security_groups"] = list(group_ids)
        self._before_change()
        try:
            return dict(self._neutron.post(None, "ports", {"port": body})["port"])
        except errors.Gone as error:
            raise exception.Invalid(error.message) from error

    def _bind(self, port: Json, instance: Instance, host: str) -> Json:
        """Let the host plug it. :raises PortInUse: another server or host has taken it since it was looked at."""
        wanted = _bound(instance, host)
        users = ("", str(port.get("binding:host_id") or ""), host)
        for _ in range(_LOOKS):
            if all(port.get(name) == value for name, value in wanted.items()):
                return port
            try:
                return self._update(port, wanted, _revision(port))
            except errors.Changed:
                port = self._look(port["id"])
            if port["device_id"] not in ("", instance.uuid) or str(port.get("binding:host_id") or "") not in users:
                raise exception.PortInUse(port_id=port["id"])
        raise _restless(port)

    def _while_here(
        self, port: Json, instance: Instance, host: str | None, change: Callable[[Json, Instance], object]
    ) -> None:
        """Change a port while it is the server's, and while the host plugs it, where one is named.

        One that another server or host took after it was looked at stays with that.
        """
        for _ in range(_LOOKS):
            if port["device_id"] != instance.uuid or host not in (None, port.get("binding:host_id")):
                return
            try:
                change(port, instance)
                return
            except errors.Changed:
                LOG.info("Port %s has changed since it was looked at: looking again", port["id"])
            try:
                port = self._look(port["id"])
            except exception.PortNotFound:
                return
        raise _restless(port)

    def _look(self, port_id: str) -> Json:
        try:
            return dict(self._neutron.get(None, f"ports/{port_id}")["port"])
        except errors.Gone:
            raise exception.PortNotFound(port_id=port_id) from None

    def _update(self, port: Json, values: dict[str, Any], revision: int | None = None) -> Json:
        """With ``revision`` only while it is of that. :raises Changed: it is not."""
        self._before_change()
        try:
            return dict(self._neutron.put(None, f"ports/{port['id']}", {"port": values}, revision)["port"])
        except errors.Gone:
            raise exception.PortNotFound(port_id=port["id"]) from None

    def _let_go(self, port: Json, instance: Instance) -> None:
        """What is gone already is no error. :raises Changed: it is not as it was looked at."""
        if vifs.goes_with(port, instance):
            self._before_change()
            self._neutron.delete(None, f"ports/{port['id']}", _revision(port))
            return
        with contextlib.suppress(exception.PortNotFound):
            self._update(port, _FREE, _revision(port))

    def ports(self, page: int = 1000) -> list[Port] | None:
        found: list[Port] = []
        query: dict[str, Any] = {"limit": page, "sort_key": "id", "sort_dir": "asc"}
        while True:
            rows = self._neutron.list(None, "ports", **query)
            found += [vifs.port(row) for row in rows if vifs.is_made(row) or vifs.is_plugged(row)]
            if len(rows) < page or rows[-1]["id"] == query.get("marker"):
                return found
            query["marker"] = rows[-1]["id"]

    # -- security groups ------------------------------------------------------------------------------

    def security_groups(self, ctxt: RequestContext, instance: Instance) -> list[dict[str, Any]]:
        ids = (ident for port in self._ports(instance) for ident in port["security_groups"])
        found = self._groups.many(None, ids)
        rules = [rule for group in found for rule in group["security_group_rules"]]
        names = self._facts.group_names(rule["remote_group_id"] for rule in rules if rule.get("remote_group_id"))
        for rule in rules:
            rule["remote_group_name"] = names.get(rule.get("remote_group_id"), rule.get("remote_group_id"))
        return found

    def add_security_group(self, ctxt: RequestContext, instance: Instance, name: str) -> None:
        group = self._groups.one(ctxt, name, instance.project_id)["id"]
        ports = self._ports(instance)
        if not ports:
            raise exception.NotFound(f"instance_id {instance.uuid} could not be found as device id on any ports")
        for port in ports:
            if port.get("port_security_enabled", True) and port["fixed_ips"] and group not in port["security_groups"]:
                self._update(port, {"security_groups": [*port["security_groups"], group]})

    def remove_security_group(self, ctxt: RequestContext, instance: Instance, name: str) -> None:
        group = self._groups.one(ctxt, name, instance.project_id)["id"]
        ports = [port for port in self._ports(instance) if group in port["security_groups"]]
        if not ports:
            raise exception.SecurityGroupNotFound(
                f"Security group {name} not associated with the instance {instance.uuid}"
            )
        for port in ports:
            kept = [ident for ident in port["security_groups"] if ident != group]
            self._update(port, {"security_groups": kept})


def _fits(port: Json, request: NetworkRequest, instance: Instance) -> bool:
    """Whether a port of the server is what the request asked for."""
    if request.port_id is not None:
        return bool(port["id"] == request.port_id)
    has_address = request.fixed_ip is None or any(
        each["ip_address"] == request.fixed_ip for each in port["fixed_ips"]
    )
    return vifs.goes_with(port, instance) and port["network_id"] == request.network_id and has_address


def _bound(instance: Instance, host: str) -> dict[str, Any]:
    return {
        "device_id": instance.uuid,
        "device_owner": f"compute:{instance.availability_zone or ''}",
        "binding:host_id": host,
    }


def _revision(port: Json) -> int | None:
    """What it was when it was looked at; None where the network service counts no revisions."""
    return port.get("revision_number")


def _restless(port: Json) -> exception.Unavailable:
    return exception.Unavailable(f"Port {port['id']} changes whenever it is looked at; try again later.")


def _tags(instance: Instance) -> dict[str, str | None]:
    return {vif.id: vif.tag for vif in instance.network_info}
