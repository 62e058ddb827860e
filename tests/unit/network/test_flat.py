"""The flat network: the same interface at each call, refusals in words."""

from __future__ import annotations

import types

import pytest

from nova_lite import exception
from nova_lite.context import RequestContext
from nova_lite.network.flat import NETWORK_ID, FlatNetwork
from nova_lite.objects import Flavor, Instance, NetworkRequest

CTXT = RequestContext(overwrite=False)
SERVER = Instance("u1", "p", "u", "web", "active", Flavor("1", "f", 1, 1, 1))


def _api(backend: str = "user") -> FlatNetwork:
    options = types.SimpleNamespace(backend=backend, bridge="br7", label="private")
    return FlatNetwork(types.SimpleNamespace(network=options))


def test_allocating_again_gives_the_same_interfaces() -> None:
    wanted = (NetworkRequest(auto=True), NetworkRequest(network_id=NETWORK_ID, tag="t"))
    first = _api().allocate(CTXT, SERVER, wanted)
    assert first == _api().allocate(CTXT, SERVER, wanted)
    assert len({vif.mac for vif in first}) == len({vif.id for vif in first}) == 2
    assert first[1].tag == "t" and first[0].fixed_ips[0].address == "10.0.2.15"


def test_servers_differ() -> None:
    other = SERVER.replace(uuid="u2")
    wanted = (NetworkRequest(auto=True),)
    assert _api().allocate(CTXT, SERVER, wanted)[0].mac != _api().allocate(CTXT, other, wanted)[0].mac


def test_backends() -> None:
    wanted = (NetworkRequest(auto=True),)
    assert _api("none").allocate(CTXT, SERVER, wanted) == ()
    (vif,) = _api("bridge").allocate(CTXT, SERVER, wanted)
    assert (vif.type, vif.bridge, vif.fixed_ips) == ("bridge", "br7", ())


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (NetworkRequest(network_id="other"), exception.NetworkNotFound),
        (NetworkRequest(port_id="p"), exception.PortNotFound),
        (NetworkRequest(network_id=NETWORK_ID, fixed_ip="1.2.3.4"), exception.Invalid),
    ],
)
def test_what_this_network_cannot_give_is_refused(request_: NetworkRequest, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        _api().validate(CTXT, (request_,))
    _api().validate(CTXT, (NetworkRequest(network_id=NETWORK_ID), NetworkRequest(auto=True)))
