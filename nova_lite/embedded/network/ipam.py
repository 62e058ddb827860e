"""Which addresses a subnet has and which are free. Pure: what is taken is told."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator
from typing import Any

from nova_lite.embedded.network import faults
from nova_lite.embedded.network.nouns import Record

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_EUI64 = ("slaac", "dhcpv6-stateless")


def network_of(subnet: Record) -> Network:
    return ipaddress.ip_network(subnet["cidr"])


def overlap(one: Record, other: Record) -> bool:
    """Whether two subnets have addresses in common."""
    first, second = network_of(one), network_of(other)
    return first.version == second.version and first.overlaps(second)


def is_automatic(subnet: Record) -> bool:
    """Whether an address follows from the port's MAC address."""
    return subnet["ip_version"] == 6 and subnet["ipv6_address_mode"] in _EUI64


def default_gateway(cidr: str) -> str:
    return str(ipaddress.ip_network(cidr).network_address + 1)


def default_pools(cidr: str, gateway: str | None) -> list[dict[str, str]]:
    """Everything a host may have, around the gateway."""
    net = ipaddress.ip_network(cidr)
    first, last = int(net.network_address), int(net.broadcast_address)
    if net.version == 4 and net.prefixlen < 31:
        first, last = first + 1, last - 1
    elif net.version == 6 and net.prefixlen < 127:
        first += 1
    make = type(net.network_address)
    if gateway is None or not first <= int(ipaddress.ip_address(gateway)) <= last:
        ranges = [(first, last)]
    else:
        at = int(ipaddress.ip_address(gateway))
        ranges = [(first, at - 1), (at + 1, last)]
    return [{"start": str(make(low)), "end": str(make(high))} for low, high in ranges if low <= high]


def check_pools(cidr: str, pools: list[dict[str, str]], gateway: str | None) -> None:
    """:raises Refused: a pool outside of the subnet, upside down, over another or over the gateway."""
    net = ipaddress.ip_network(cidr)
    spans = []
    for pool in pools:
        start, end = ipaddress.ip_address(pool["start"]), ipaddress.ip_address(pool["end"])
        if start.version != net.version or end.version != net.version or start not in net or end not in net:
            raise faults.invalid(
                f"The allocation pool {start}-{end} spans beyond the subnet cidr {net}.", "OutOfBoundsAllocationPool"
            )
        if int(start) > int(end):
            raise faults.invalid(f"The allocation pool {start}-{end} is not valid.", "InvalidAllocationPool")
        spans.append((int(start), int(end)))
    spans.sort()
    for (_, before), (after, _) in zip(spans, spans[1:], strict=False):
        if after <= before:
            raise faults.invalid("Found overlapping allocation pools.", "OverlappingAllocationPools")
    if gateway is not None and any(low <= int(ipaddress.ip_address(gateway)) <= high for low, high in spans):
        raise faults.clash(
            "GatewayConflictWithAllocationPools", f"Gateway ip {gateway} conflicts with allocation pool."
        )


def eui64(subnet: Record, mac: str) -> str:
    """The address that a guest gives itself."""
    octets = [int(part, 16) for part in mac.split(":")]
    octets[0] ^= 2
    host = int.from_bytes(bytes([*octets[:3], 0xFF, 0xFE, *octets[3:]]), "big")
    return str(ipaddress.IPv6Address(int(network_of(subnet).network_address) + host))


def pick(subnet: Record, taken: Collection[str]) -> str | None:
    """The first free address of the pools; None when there is none."""
    return next((each for each in _addresses(subnet) if each not in taken), None)


def _addresses(subnet: Record) -> Iterator[str]:
    for pool in subnet["allocation_pools"]:
        start, end = ipaddress.ip_address(pool["start"]), ipaddress.ip_address(pool["end"])
        make: Any = type(start)
        for number in range(int(start), int(end) + 1):
            yield str(make(number))


def check_address(subnet: Record, address: str) -> None:
    """:raises Refused: the subnet has not got this address, or nobody may have it."""
    net, wanted = network_of(subnet), ipaddress.ip_address(address)
    is_edge = net.version == 4 and net.prefixlen < 31 and wanted in (net.network_address, net.broadcast_address)
    if wanted.version != net.version or wanted not in net or is_edge:
        raise faults.invalid(f"IP address {address} is not a valid IP for the specified subnet.", "InvalidIpForSubnet")
