"""Interfaces from a network service: what is judged, made, found again, moved and given back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from oslo_config import cfg

from nova_lite import exception
from nova_lite.conf import neutron as options
from nova_lite.context import RequestContext
from nova_lite.network.service import NetworkService
from nova_lite.network.vifs import MADE
from nova_lite.objects import Flavor, Instance, NetworkRequest, Vif
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.networks import Networks

PROJECT = "p-demo"
CTXT = RequestContext(overwrite=False, project_id=PROJECT, roles=["member", "reader"])
SERVER = Instance("server-1", PROJECT, "u", "web", "building", Flavor("1", "f", 1, 1, 1), host="host1")


@pytest.fixture
def networks() -> Networks:
    conf = cfg.ConfigOpts()
    conf([])
    options.register(conf)
    conf.set_override("http_retries", 1, "neutron")
    return Networks(conf)


def _allocate(networks: Networks, *requests: NetworkRequest, server: Instance = SERVER) -> tuple[Vif, ...]:
    wanted = networks.validate(CTXT, requests)
    return networks.allocate(CTXT, server, wanted.requests, wanted.group_ids)


def test_the_one_network_is_taken_without_being_named(networks: Networks) -> None:
    (vif,) = _allocate(networks, NetworkRequest(tag="t"))
    assert (vif.label, vif.type, vif.tag, vif.active, vif.preserved) == ("private", "user", "t", True, False)
    assert vif.fixed_ips[0].address == "10.0.2.15" and vif.security_groups == ("default",)
    assert (vif.subnets[0].gateway, vif.subnets[0].dns) == ("10.0.2.2", ("10.0.2.3",))
    (port,) = networks.ports_of(SERVER.uuid)
    assert (port["project_id"], port["binding:host_id"], port["status"]) == (PROJECT, "host1", "ACTIVE")


def test_allocating_again_finds_what_is_there(networks: Networks) -> None:
    wanted = (NetworkRequest(), NetworkRequest())
    first = _allocate(networks, *wanted)
    again = _allocate(networks, *wanted, server=SERVER.replace(network_info=first))
    assert again == first and len({vif.id for vif in first}) == len(networks.made()) == 2


def test_a_crash_between_two_ports_loses_none(networks: Networks) -> None:
    _allocate(networks, NetworkRequest())
    assert len(_allocate(networks, NetworkRequest(), NetworkRequest())) == len(networks.made()) == 2


def test_a_users_port_is_let_go_and_ours_are_deleted(networks: Networks) -> None:
    port = networks.new_port(PROJECT, networks.first_network())
    mine, made = _allocate(networks, NetworkRequest(port_id=port["id"]), NetworkRequest())
    assert (mine.id, mine.preserved, made.preserved) == (port["id"], True, False)
    networks.deallocate(CTXT, SERVER, "another-host")
    assert len(networks.ports_of(SERVER.uuid)) == 2
    networks.deallocate(CTXT, SERVER)
    networks.deallocate(CTXT, SERVER)
    assert networks.made() == []
    kept = networks.ask(PROJECT, "GET", f"ports/{port['id']}")["port"]
    assert (kept["device_id"], kept["device_owner"], kept["status"]) == ("", "", "DOWN")


def test_a_port_of_ours_that_its_user_described_anew_goes_with_its_server(networks: Networks) -> None:
    """And whoever looks at it in between does not take it for a user's own."""
    (made,) = _allocate(networks, NetworkRequest())
    networks.ask(PROJECT, "PUT", f"ports/{made.id}", {"port": {"description": "web front"}})
    server = SERVER.replace(network_info=(made,))
    (seen,) = networks.interfaces(CTXT, server)
    assert not seen.preserved and _allocate(networks, NetworkRequest(), server=server) == (made,)
    networks.deallocate(CTXT, server.replace(network_info=(seen,)))
    assert networks.ports_of(SERVER.uuid) == []


def test_a_move_binds_elsewhere_and_keeps_the_order(networks: Networks) -> None:
    vifs = _allocate(networks, NetworkRequest(tag="a"), NetworkRequest(tag="b"))
    server = SERVER.replace(network_info=tuple(reversed(vifs)))
    networks.unbind(CTXT, server, "elsewhere")
    assert {port["binding:host_id"] for port in networks.made()} == {str(SERVER.host)}
    networks.unbind(CTXT, server, str(SERVER.host))
    assert {port["binding:host_id"] for port in networks.made()} == {""}
    moved = networks.move(CTXT, server, "host2")
    assert [vif.tag for vif in moved] == ["b", "a"] and all(vif.active for vif in moved)
    assert {port["binding:host_id"] for port in networks.made()} == {"host2"}


def test_attaching_with_the_same_key_gives_the_same(networks: Networks) -> None:
    request = NetworkRequest(network_id=networks.first_network(), fixed_ip="10.0.3.3")
    first = networks.attach(CTXT, SERVER, request, "key")
    assert networks.attach(CTXT, SERVER, request, "key") == first
    other = networks.attach(CTXT, SERVER, request.replace(fixed_ip=None), "other")
    assert other.id != first.id
    networks.detach(CTXT, SERVER, first.id)
    networks.detach(CTXT, SERVER, first.id)
    assert [port["id"] for port in networks.made()] == [other.id]


def test_several_networks_must_be_told_apart(networks: Networks) -> None:
    networks.new_network(PROJECT)
    with pytest.raises(exception.NetworkAmbiguous, match="Multiple possible networks found"):
        networks.validate(CTXT, (NetworkRequest(auto=True),))


def test_no_network_at_all(networks: Networks) -> None:
    networks.ask("admin", "DELETE", f"networks/{networks.first_network()}", roles="admin")
    assert networks.validate(CTXT, (NetworkRequest(),)).requests == ()
    with pytest.raises(exception.Invalid, match="Unable to automatically allocate"):
        networks.validate(CTXT, (NetworkRequest(auto=True),))


def test_what_cannot_be_had_is_refused(networks: Networks) -> None:
    network = networks.new_network(PROJECT)
    bare = networks.ask(PROJECT, "POST", "networks", {"network": {}})["network"]["id"]
    busy = networks.new_port(PROJECT, network, device_id="x", fixed_ips=[{"ip_address": "192.0.2.9"}])
    empty = networks.new_port(PROJECT, network, fixed_ips=[])
    foreign = networks.new_port("p-other", networks.first_network())
    outside = networks.ask("a", "POST", "networks", {"network": {"router:external": True}}, "admin")["network"]["id"]
    cases = {
        NetworkRequest(network_id="nonsense"): exception.NetworkNotFound,
        NetworkRequest(network_id=bare): exception.Invalid,
        NetworkRequest(network_id=outside): exception.ExternalNetworkForbidden,
        NetworkRequest(port_id="nonsense"): exception.PortNotFound,
        NetworkRequest(port_id="../networks"): exception.PortNotFound,
        NetworkRequest(port_id=foreign["id"]): exception.PortNotFound,
        NetworkRequest(port_id=busy["id"]): exception.PortInUse,
        NetworkRequest(port_id=empty["id"]): exception.Invalid,
        NetworkRequest(network_id=network, fixed_ip="192.0.2.9"): exception.FixedIpInUse,
    }
    for request, kind in cases.items():
        with pytest.raises(kind):
            networks.validate(CTXT, (request,))
    with pytest.raises(exception.Invalid):
        _allocate(networks, NetworkRequest(network_id=network, fixed_ip="203.0.113.1"))


def test_groups_by_name_and_id(networks: Networks) -> None:
    body = {"security_group": {"name": "web"}}
    group = networks.ask(PROJECT, "POST", "security-groups", body)["security_group"]["id"]
    for name in ("web", group):
        assert networks.validate(CTXT, (NetworkRequest(),), (name,)).group_ids == (group,)
    with pytest.raises(exception.SecurityGroupNotFound):
        networks.validate(CTXT, (NetworkRequest(),), ("nonsense",))
    networks.ask(PROJECT, "POST", "security-groups", body)
    with pytest.raises(exception.SecurityGroupAmbiguous):
        networks.validate(CTXT, (NetworkRequest(),), ("web",))


def test_groups_on_and_off(networks: Networks) -> None:
    _allocate(networks, NetworkRequest())
    networks.ask(PROJECT, "POST", "security-groups", {"security_group": {"name": "web"}})
    networks.add_security_group(CTXT, SERVER, "web")
    networks.add_security_group(CTXT, SERVER, "web")
    assert {group["name"] for group in networks.security_groups(CTXT, SERVER)} == {"default", "web"}
    assert networks.interfaces(CTXT, SERVER)[0].security_groups == ("default", "web")
    networks.remove_security_group(CTXT, SERVER, "web")
    with pytest.raises(exception.SecurityGroupNotFound, match="not associated"):
        networks.remove_security_group(CTXT, SERVER, "web")


def test_another_projects_port_with_our_servers_id_is_none_of_ours(networks: Networks) -> None:
    forged = networks.new_port("p-mallory", networks.first_network(), device_id=SERVER.uuid, description=MADE)
    (vif,) = _allocate(networks, NetworkRequest())
    assert vif.id != forged["id"] and networks.interfaces(CTXT, SERVER) == (vif,)
    networks.deallocate(CTXT, SERVER)
    assert [port["id"] for port in networks.ports_of(SERVER.uuid)] == [forged["id"]]


def test_a_port_that_another_server_took_meanwhile_stays_with_it(networks: Networks) -> None:
    """It was free when the request was judged."""
    port = networks.new_port(PROJECT, networks.first_network())
    wanted = networks.validate(CTXT, (NetworkRequest(port_id=port["id"]),)).requests
    networks.allocate(CTXT, SERVER.replace(uuid="server-2"), wanted)
    with pytest.raises(exception.PortInUse):
        networks.allocate(CTXT, SERVER, wanted)
    assert [each["id"] for each in networks.ports_of("server-2")] == [port["id"]]


class _Between:
    """Something happens between a look at a port and its change, once or each time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, networks: Networks, *happens: Callable[[], object]) -> None:
        self._happens = [*happens]
        self._send = networks.neutron.send
        monkeypatch.setattr(networks.neutron, "send", self)

    def __call__(self, ctxt: Any, method: str, path: str, **options: Any) -> Any:
        if method in ("PUT", "DELETE") and self._happens:
            self._happens.pop(0)()
        return self._send(ctxt, method, path, **options)


def _takes(networks: Networks, host: str, server: Instance = SERVER) -> Callable[[], object]:
    """Another host binds the server's port, and knows of no other."""
    body = {"port": {"device_id": server.uuid, "binding:host_id": host}}
    return lambda: networks.ask(PROJECT, "PUT", f"ports/{networks.made()[0]['id']}", body, "admin,service")


@pytest.mark.parametrize("takes_back", [NetworkService.deallocate, NetworkService.unbind])
def test_a_port_that_another_host_took_meanwhile_stays_there(
    networks: Networks, monkeypatch: pytest.MonkeyPatch, takes_back: Callable[..., None]
) -> None:
    """A worker that was overtaken took away what its successor had found and used again."""
    (vif,) = _allocate(networks, NetworkRequest())
    _Between(monkeypatch, networks, _takes(networks, "host2"))
    takes_back(networks, CTXT, SERVER, str(SERVER.host))
    assert [(port["id"], port["binding:host_id"]) for port in networks.made()] == [(vif.id, "host2")]


def _gives_up(networks: Networks, server: Instance, port_id: str) -> None:
    networks.deallocate(CTXT, server)


def _detaches(networks: Networks, server: Instance, port_id: str) -> None:
    networks.detach(CTXT, server, port_id)


def _lets_go_of_its_hosts(networks: Networks, server: Instance, port_id: str) -> None:
    networks.deallocate(CTXT, server, str(server.host))


def _unbinds(networks: Networks, server: Instance, port_id: str) -> None:
    networks.unbind(CTXT, server, str(server.host))


@pytest.mark.parametrize("takes_back", [_gives_up, _detaches, _lets_go_of_its_hosts, _unbinds])
def test_a_port_that_another_server_took_on_the_same_host_stays_with_it(
    networks: Networks, monkeypatch: pytest.MonkeyPatch, takes_back: Callable[..., None]
) -> None:
    """A user's port, which somebody else had let go of before a late worker did."""
    port_id = networks.new_port(PROJECT, networks.first_network())["id"]
    _allocate(networks, NetworkRequest(port_id=port_id))
    other = SERVER.replace(uuid="server-2")

    def happens() -> None:
        networks.deallocate(CTXT, SERVER)
        _allocate(networks, NetworkRequest(port_id=port_id), server=other)

    _Between(monkeypatch, networks, happens)
    takes_back(networks, SERVER, port_id)
    assert [port["binding:host_id"] for port in networks.ports_of("server-2")] == [SERVER.host]


def test_who_is_overtaken_while_he_looks_changes_nothing(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that is answered late: the fence is asked again before each change."""
    port_id = networks.new_port(PROJECT, networks.first_network())["id"]
    _allocate(networks, NetworkRequest(port_id=port_id), NetworkRequest())
    before = networks.ports_of(SERVER.uuid)
    asked: list[bool] = []

    def check() -> None:
        asked.append(True)
        raise exception.StaleWrite(what="it")

    behind = networks.fenced(check)
    for change in (
        lambda: behind.move(CTXT, SERVER, "host2"), lambda: behind.unbind(CTXT, SERVER, str(SERVER.host)),
        lambda: behind.deallocate(CTXT, SERVER), lambda: behind.detach(CTXT, SERVER, port_id),
        lambda: behind.attach(CTXT, SERVER, NetworkRequest(network_id=networks.first_network()), "key"),
    ):  # fmt: skip
        asked.clear()
        with pytest.raises(exception.StaleWrite):
            change()
        assert asked
    asked.clear()
    assert behind.interfaces(CTXT, SERVER) and not asked
    assert networks.ports_of(SERVER.uuid) == before


def test_what_its_service_changes_in_a_port_keeps_it_from_nothing(
    networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    (vif,) = _allocate(networks, NetworkRequest())

    def named(name: str) -> Callable[[], object]:
        return lambda: networks.ask(PROJECT, "PUT", f"ports/{vif.id}", {"port": {"name": name}})

    _Between(monkeypatch, networks, named("a"), named("b"))
    networks.move(CTXT, SERVER, "host2")
    _Between(monkeypatch, networks, named("c"))
    networks.deallocate(CTXT, SERVER, "host2")
    assert networks.made() == []


def test_a_port_that_never_rests_is_for_later(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
    (vif,) = _allocate(networks, NetworkRequest())
    change = {"port": {"description": MADE}}
    always = [lambda: networks.ask(PROJECT, "PUT", f"ports/{vif.id}", change)] * 99
    _Between(monkeypatch, networks, *always)
    for call in (networks.move, networks.deallocate):
        with pytest.raises(exception.Unavailable, match=vif.id):
            call(CTXT, SERVER, "host2" if call == networks.move else str(SERVER.host))


def test_a_port_is_not_taken_from_who_took_it_meanwhile(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
    _allocate(networks, NetworkRequest())
    _Between(monkeypatch, networks, _takes(networks, "host3"))
    with pytest.raises(exception.PortInUse):
        networks.move(CTXT, SERVER, "host2")
    _Between(monkeypatch, networks, _takes(networks, ""))
    networks.move(CTXT, SERVER, "host2")  # one that was let go is free
    _Between(monkeypatch, networks, _takes(networks, "host2", SERVER.replace(uuid="server-2")))
    with pytest.raises(exception.PortInUse):
        networks.move(CTXT, SERVER, "host3")
    assert [(port["device_id"], port["binding:host_id"]) for port in networks.made()] == [("server-2", "host2")]


def test_a_former_port_that_is_taken_away_meanwhile_is_made_again(
    networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the worker that made it, and was overtaken."""
    (former,) = _allocate(networks, NetworkRequest())
    _Between(monkeypatch, networks, lambda: networks.deallocate(CTXT, SERVER, str(SERVER.host)))
    (vif,) = _allocate(networks, NetworkRequest(), server=SERVER.replace(host="host2"))
    assert vif.id != former.id and [port["binding:host_id"] for port in networks.made()] == ["host2"]


def test_only_what_a_host_plugs_is_moved_from_it(networks: Networks) -> None:
    _allocate(networks, NetworkRequest())
    networks.move(CTXT, SERVER, "host3", source="host2")
    assert [port["binding:host_id"] for port in networks.made()] == [SERVER.host]
    networks.move(CTXT, SERVER, "host3", source=SERVER.host)
    assert [port["binding:host_id"] for port in networks.made()] == ["host3"]


def test_what_nobody_plugs_any_more_is_moved_by_who_asks_for_that(networks: Networks) -> None:
    """An unshelving that was overtaken took a port from its successor, and undid that: it was on no host."""
    _allocate(networks, NetworkRequest())
    networks.unbind(CTXT, SERVER, str(SERVER.host))
    networks.move(CTXT, SERVER, "host3", source=SERVER.host)
    assert [port["binding:host_id"] for port in networks.made()] == [""]
    networks.move(CTXT, SERVER, "host3", source="")
    assert [port["binding:host_id"] for port in networks.made()] == ["host3"]


def test_a_port_is_not_moved_once_its_server_has_gone_on(networks: Networks) -> None:
    def gone_on() -> None:
        raise exception.StaleWrite(what="The place of it")

    _allocate(networks, NetworkRequest())
    with pytest.raises(exception.StaleWrite):
        networks.move(CTXT, SERVER, "host3", source=SERVER.host, prove=gone_on)
    assert [port["binding:host_id"] for port in networks.made()] == [SERVER.host]


def test_floating_addresses_stand_beside_those_they_lead_to(networks: Networks) -> None:
    outside = networks.new_network("a", "203.0.113.0/24", **{"router:external": True})
    inside = networks.new_network(PROJECT, "198.51.100.0/24")
    subnet = networks.store.where("subnet", "network_id", inside)[0]["id"]
    body = {"router": {"external_gateway_info": {"network_id": outside}}}
    router = networks.ask(PROJECT, "POST", "routers", body)["router"]["id"]
    networks.ask(PROJECT, "PUT", f"routers/{router}/add_router_interface", {"subnet_id": subnet})
    (vif,) = _allocate(networks, NetworkRequest(network_id=inside))
    body = {"floatingip": {"floating_network_id": outside, "port_id": vif.id}}
    outer = networks.ask(PROJECT, "POST", "floatingips", body)["floatingip"]["floating_ip_address"]
    (now,) = networks.interfaces(CTXT, SERVER.replace(network_info=(vif,)))
    assert [(each.address, each.type) for each in now.fixed_ips] == [
        (vif.fixed_ips[0].address, "fixed"), (outer, "floating"),
    ]  # fmt: skip


def test_quota_of_ports(networks: Networks) -> None:
    networks.ask("a", "PUT", f"quotas/{PROJECT}", {"quota": {"port": 2}}, "admin")
    networks.validate(CTXT, (NetworkRequest(),), count=2)
    with pytest.raises(exception.PortLimitExceeded):
        networks.validate(CTXT, (NetworkRequest(),), count=3)


def test_reads_are_tried_again_and_writes_are_not(networks: Networks) -> None:
    networks.plan.add(FaultRule("GET networks", FaultKind.RAISE, times=1))
    assert networks.validate(CTXT, (NetworkRequest(),)).requests[0].network_id == networks.first_network()
    networks.plan.add(FaultRule("POST ports", FaultKind.RAISE, times=1))
    with pytest.raises(exception.Unavailable):
        _allocate(networks, NetworkRequest())
    assert networks.made() == []


def test_all_ports_of_servers_are_all_pages(networks: Networks) -> None:
    free = networks.new_port(PROJECT, networks.first_network())
    taken = networks.new_port(PROJECT, networks.first_network())
    (made,) = _allocate(networks, NetworkRequest(port_id=taken["id"]))[:1]
    others = [_allocate(networks, NetworkRequest(), server=SERVER.replace(uuid=f"server-{n}"))[0] for n in (2, 3)]
    for page in (1, 2, 1000):
        found = networks.ports(page)
        assert found is not None
        assert sorted(port.id for port in found) == sorted([made.id, *(vif.id for vif in others)])
    by_id = {port.id: port for port in networks.ports() or ()}
    mine, ours = by_id[made.id], by_id[others[0].id]
    assert (mine.server, mine.host, mine.is_made, mine.is_plugged) == (SERVER.uuid, "host1", False, True)
    assert (ours.server, ours.is_made) == ("server-2", True)
    assert free["id"] not in by_id
