"""The network's door for the profiles without Neutron: one flat network that every host knows how to plug.

The network has a fixed id, so that clients may name it. A MAC address is derived from the server's uuid: allocating
again after a crash gives the same interface.
"""

from __future__ import annotations

import hashlib
import uuid

from oslo_config import cfg

from nova_lite import exception
from nova_lite.context import RequestContext
from nova_lite.objects import FixedIP, Instance, NetworkRequest, Vif

NETWORK_ID = "00000000-0000-4000-8000-6e657477726b"
# What QEMU's user-mode network always gives its only guest.
_USER_MODE_ADDRESS = "10.0.2.15"


class API:
    """Validates what a client asks and gives a server its interfaces."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._backend = conf.network.backend
        self._bridge = conf.network.bridge
        self._label = conf.network.label

    def validate(self, ctxt: RequestContext, requests: tuple[NetworkRequest, ...]) -> None:
        """Refuse what this network cannot give.

        :raises NetworkNotFound: a network that is not ours.
        :raises Invalid: a port or a fixed address, which need a network service.
        """
        for request in requests:
            if request.port_id:
                raise exception.Invalid(f"Port {request.port_id} could not be found.")
            if request.network_id and request.network_id != NETWORK_ID:
                raise exception.NetworkNotFound(network_id=request.network_id)
            if request.fixed_ip:
                raise exception.Invalid(f"Fixed IP address {request.fixed_ip} cannot be chosen on this network.")

    def allocate(
        self, ctxt: RequestContext, instance: Instance, requests: tuple[NetworkRequest, ...]
    ) -> tuple[Vif, ...]:
        """The server's interfaces, the same at each call."""
        if self._backend == "none":
            return ()
        return tuple(self._vif(instance, index, request) for index, request in enumerate(requests))

    def move(self, ctxt: RequestContext, instance: Instance, host: str) -> tuple[Vif, ...]:
        """The server's interfaces once ``host`` is to plug them: here every host plugs them the same way."""
        return instance.network_info

    def unbind(self, ctxt: RequestContext, instance: Instance) -> None:
        """The interfaces stay the server's, but no host plugs them until :meth:`move`: here none is ever bound."""

    def deallocate(self, ctxt: RequestContext, instance: Instance) -> None:
        """Nothing is kept per server on this network, so there is nothing to give back."""

    def _vif(self, instance: Instance, index: int, request: NetworkRequest) -> Vif:
        seed = hashlib.sha256(f"{instance.uuid}/{index}".encode()).digest()
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
