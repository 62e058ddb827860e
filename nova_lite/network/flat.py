"""One flat network that every host knows how to plug, for profiles without a network service.

The network has a fixed id, so that clients may name it. A MAC address is derived from the server's uuid: allocating
again after a crash gives the same interface. There are no security groups.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from oslo_config import cfg

from nova_lite import exception
from nova_lite.context import RequestContext
from nova_lite.network.api import API, DEFAULT_GROUP, Requests, Wanted
from nova_lite.objects import FixedIP, Instance, NetworkRequest, Port, Vif

NETWORK_ID = "00000000-0000-4000-8000-6e657477726b"
# What QEMU's user-mode network always gives its only guest.
_USER_MODE_ADDRESS = "10.0.2.15"


class FlatNetwork(API):
    """Nothing is kept: each interface follows from its server and its place."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._backend = conf.network.backend
        self._bridge = conf.network.bridge
        self._label = conf.network.label

    def validate(
        self, ctxt: RequestContext, requests: Requests, groups: Sequence[str] = (), count: int = 1
    ) -> Wanted:
        """:raises NetworkNotFound, Invalid: what only a network service could give."""
        for name in groups:
            if name != DEFAULT_GROUP:
                raise exception.SecurityGroupNotFound(security_group_id=name)
        for request in requests:
            if request.port_id:
                raise exception.PortNotFound(port_id=request.port_id)
            if request.network_id and request.network_id != NETWORK_ID:
                raise exception.NetworkNotFound(network_id=request.network_id)
            if request.fixed_ip:
                raise exception.Invalid(f"Fixed IP address {request.fixed_ip} cannot be chosen on this network.")
        return Wanted(requests)

    def allocate(
        self, ctxt: RequestContext, instance: Instance, requests: Requests, group_ids: Sequence[str] = ()
    ) -> tuple[Vif, ...]:
        if self._backend == "none":
            return ()
        return tuple(self._vif(instance, str(index), request) for index, request in enumerate(requests))

    def attach(self, ctxt: RequestContext, instance: Instance, request: NetworkRequest, key: str) -> Vif:
        return self._vif(instance, key, request)

    def attached(
        self, ctxt: RequestContext, instance: Instance, request: NetworkRequest, key: str
    ) -> tuple[Vif, ...]:
        return (self._vif(instance, key, request),)

    def detach(self, ctxt: RequestContext, instance: Instance, port_id: str) -> None:
        """Nothing is kept."""

    def move(
        self, ctxt: RequestContext, instance: Instance, host: str, source: str | None = None,
        prove: Callable[[], object] | None = None,
    ) -> tuple[Vif, ...]:  # fmt: skip
        """Every host plugs them the same way."""
        return instance.network_info

    def unbind(self, ctxt: RequestContext, instance: Instance, host: str) -> None:
        """None is ever bound."""

    def deallocate(self, ctxt: RequestContext, instance: Instance, host: str | None = None) -> None:
        """Nothing is kept."""

    def interfaces(self, ctxt: RequestContext, instance: Instance) -> tuple[Vif, ...]:
        return instance.network_info

    def security_groups(self, ctxt: RequestContext, instance: Instance) -> list[dict[str, Any]]:
        return []

    def add_security_group(self, ctxt: RequestContext, instance: Instance, name: str) -> None:
        """:raises SecurityGroupNotFound: always."""
        raise exception.SecurityGroupNotFound(security_group_id=name)

    def remove_security_group(self, ctxt: RequestContext, instance: Instance, name: str) -> None:
        """:raises SecurityGroupNotFound: always."""
        raise exception.SecurityGroupNotFound(security_group_id=name)

    def ports(self, page: int = 1000) -> list[Port] | None:
        return None

    def _vif(self, instance: Instance, key: str, request: NetworkRequest) -> Vif:
        seed = hashlib.sha256(f"{instance.uuid}/{key}".encode()).digest()
        # fa:16:3e is the prefix OpenStack clouds use for guests.
        mac = "fa:16:3e:" + ":".join(f"{byte:02x}" for byte in seed[:3])
        addresses = (FixedIP(_USER_MODE_ADDRESS),) if self._backend == "user" else ()
        return Vif(
            id=str(uuid.UUID(bytes=seed[:16], version=4)),
            mac=mac,
            network_id=NETWORK_ID,
            label=self._label,
            type=self._backend,
            bridge=self._bridge if self._backend == "bridge" else None,
            fixed_ips=addresses,
            tag=request.tag,
        )
