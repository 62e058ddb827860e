"""An attached interface as the compute API shows it."""

from __future__ import annotations

from nova_lite.api.openstack.compute.views.attach_interfaces import interface
from nova_lite.api.openstack.microversions import at
from nova_lite.objects import FixedIP, Vif

ADDRESSES = (FixedIP("192.0.2.7", subnet_id="sub"), FixedIP("203.0.113.7", type="floating"))
VIF = Vif("port", "fa:16:3e:00:00:01", "net", "private", fixed_ips=ADDRESSES, tag="nic")


def test_the_tag_is_shown_from_2_70() -> None:
    newest = interface(VIF, at("2.70"))
    assert newest == {
        "net_id": "net", "port_id": "port", "mac_addr": "fa:16:3e:00:00:01", "port_state": "ACTIVE",
        "fixed_ips": [{"subnet_id": "sub", "ip_address": "192.0.2.7"}], "tag": "nic",
    }  # fmt: skip
    assert interface(VIF, at("2.69")) == {name: value for name, value in newest.items() if name != "tag"}


def test_a_port_that_is_down() -> None:
    assert interface(VIF.replace(active=False, tag=None), at("2.70"))["port_state"] == "DOWN"
