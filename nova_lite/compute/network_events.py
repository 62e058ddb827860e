"""What a server's row remembers of its interfaces, kept in step with what the network service says happened.

A server's JSON lists are changed under its row lock only, so that two changes at once lose nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from nova_lite import exception
from nova_lite.context import RequestContext
from nova_lite.db.api import instances
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.network.api import API as NetworkAPI
from nova_lite.objects import Instance, Vif

Vifs = tuple[Vif, ...]


def changed(network: NetworkAPI, ctxt: RequestContext, instance: Instance) -> None:
    """``network-changed``, ``network-vif-plugged``, ``network-vif-unplugged``: read its interfaces anew.

    An interface that comes or goes just now is its own operation's affair.
    """
    now = {vif.id: vif for vif in network.interfaces(ctxt, instance)}
    _rewrite(instance.uuid, lambda vifs: (now.get(vif.id, vif) for vif in vifs))


def deleted(instance: Instance, port_id: str) -> None:
    """``network-vif-deleted``: somebody deleted the port."""
    _rewrite(instance.uuid, lambda vifs: (vif for vif in vifs if vif.id != port_id))


@retry_on_deadlock
def _rewrite(uuid: str, change: Callable[[Vifs], Iterable[Vif]]) -> None:
    with writer():
        try:
            before = instances.locked(uuid).network_info
        except exception.InstanceNotFound:
            return
        after = tuple(change(before))
        if after != before:
            instances.update_if(uuid, {"network_info": after})
