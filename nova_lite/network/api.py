"""The network's door: what compute asks of whatever gives servers their interfaces; see its neighbours for who does.

Every change may be asked for again after a crash: it completes what is missing and changes nothing else.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nova_lite.context import RequestContext
from nova_lite.objects import Instance, NetworkRequest, Port, Vif

Requests = tuple[NetworkRequest, ...]
DEFAULT_GROUP = "default"


@dataclass(frozen=True)
class Wanted:
    """What a request comes to: each interface on a known network or port, and the ids of its security groups."""

    requests: Requests
    group_ids: tuple[str, ...] = ()


class API(abc.ABC):
    """Judges what a client asks, gives a server its interfaces, and takes them back."""

    def fenced(self, check: Callable[[], object]) -> API:
        """The same for a host: ``check`` is asked before each single change, as a call may look around for long."""
        return self

    @abc.abstractmethod
    def validate(
        self, ctxt: RequestContext, requests: Requests, groups: Sequence[str] = (), count: int = 1
    ) -> Wanted:
        """What ``count`` servers like this would get; ``groups`` are names or ids of security groups.

        :raises NetworkNotFound, PortNotFound, SecurityGroupNotFound: what is named is not there for the caller.
        :raises NetworkAmbiguous: nothing is named and there is more than one network.
        :raises PortInUse, FixedIpInUse, PortLimitExceeded, ExternalNetworkForbidden, Invalid: it cannot be had.
        """

    @abc.abstractmethod
    def allocate(
        self, ctxt: RequestContext, instance: Instance, requests: Requests, group_ids: Sequence[str] = ()
    ) -> tuple[Vif, ...]:
        """The server's interfaces on its host."""

    @abc.abstractmethod
    def attach(self, ctxt: RequestContext, instance: Instance, request: NetworkRequest, key: str) -> Vif:
        """One interface more; the same ``key`` gives the same one again."""

    @abc.abstractmethod
    def attached(
        self, ctxt: RequestContext, instance: Instance, request: NetworkRequest, key: str
    ) -> tuple[Vif, ...]:
        """What an attach of that key made or took so far."""

    @abc.abstractmethod
    def detach(self, ctxt: RequestContext, instance: Instance, port_id: str) -> None:
        """Take one interface off; one that is off already is no error."""

    @abc.abstractmethod
    def move(
        self, ctxt: RequestContext, instance: Instance, host: str, source: str | None = None,
        prove: Callable[[], object] | None = None,
    ) -> tuple[Vif, ...]:  # fmt: skip
        """The server's interfaces once ``host`` is to plug them; with ``source`` only those that this plugged.

        An empty ``source`` is nobody. ``prove`` is asked before each is changed, after it was looked at, and raises
        where it is not to be. :raises PortInUse: another host has taken one meanwhile.
        """

    @abc.abstractmethod
    def unbind(self, ctxt: RequestContext, instance: Instance, host: str) -> None:
        """The interfaces stay the server's, but ``host`` plugs them no more, if it still does."""

    @abc.abstractmethod
    def deallocate(self, ctxt: RequestContext, instance: Instance, host: str | None = None) -> None:
        """Give all interfaces back; with ``host`` only those that are bound there."""

    @abc.abstractmethod
    def interfaces(self, ctxt: RequestContext, instance: Instance) -> tuple[Vif, ...]:
        """The server's interfaces as the network has them now."""

    @abc.abstractmethod
    def security_groups(self, ctxt: RequestContext, instance: Instance) -> list[dict[str, Any]]:
        """The security groups of its interfaces, with their rules, as the network service shows them.

        A rule about another group names it, too: ``remote_group_name``.
        """

    @abc.abstractmethod
    def add_security_group(self, ctxt: RequestContext, instance: Instance, name: str) -> None:
        """Put a group on every interface. :raises SecurityGroupNotFound: there is none of that name or id."""

    @abc.abstractmethod
    def remove_security_group(self, ctxt: RequestContext, instance: Instance, name: str) -> None:
        """Take a group off every interface. :raises SecurityGroupNotFound: as above, or none has it."""

    @abc.abstractmethod
    def ports(self, page: int = 1000) -> list[Port] | None:
        """Every port that serves a server or was made for one, whosever; None: nothing is kept anywhere."""
