"""An attached interface as JSON."""

from __future__ import annotations

from nova_lite.api.openstack.compute.views.undo import History, View, drop, step
from nova_lite.api.openstack.microversions import Microversion
from nova_lite.objects import Vif
from nova_lite.objects.network import FIXED

_HISTORY = History(step("2.70", drop("tag")))


def interface(vif: Vif, version: Microversion) -> View:
    view: View = {
        "net_id": vif.network_id,
        "port_id": vif.id,
        "mac_addr": vif.mac,
        "port_state": "ACTIVE" if vif.active else "DOWN",
        "fixed_ips": [
            {"subnet_id": each.subnet_id, "ip_address": each.address} for each in vif.fixed_ips if each.type == FIXED
        ],
        "tag": vif.tag,
    }
    return _HISTORY.walk_back(view, version)
