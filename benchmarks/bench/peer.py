"""What real Nova does on the same kind of machine, and what nova-lite aims at.

Source: the project's design card PEER.md, November 2026: Nova 34.0.0 (2026.2) with Keystone 30, Glance 33, Placement
16, Neutron 29, RabbitMQ 3.10, MariaDB 10.11; nova-api under uWSGI, one worker at concurrency 1, two at 16; one
nova-compute with the fake driver; 2 cores; medians of 3; load by wrk with keep-alive and a real token. Machines differ
and are noisy: compare ratios to the floors of the same run before comparing these. A range is given by its middle.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """Nova's figure and our aim, both in the figure's unit; None where nobody measured or aimed."""

    nova: float | None = None
    aim: float | None = None


PEER: dict[str, Peer] = {
    # requests a second
    "GET /v2.1/ (discovery) req/s at 1": Peer(433, 3000),
    "GET /v2.1/ (discovery) req/s at 16": Peer(854, 3000),
    "GET /servers, none req/s at 1": Peer(36, 1000),
    "GET /servers, none req/s at 16": Peer(None, 1200),
    "GET /servers, 100 req/s at 1": Peer(7, 400),
    "GET /servers, 100 req/s at 16": Peer(11, 400),
    "GET /servers/detail, 100 req/s at 1": Peer(2.05, 150),
    "GET /servers/detail, 100 req/s at 16": Peer(3.9, 150),
    "GET /servers/{id} req/s at 1": Peer(15, 700),
    "GET /servers/{id} req/s at 16": Peer(21, 800),
    "GET /flavors/detail req/s at 1": Peer(84.5, 1000),
    "GET /flavors/detail req/s at 16": Peer(156, 1200),
    # milliseconds, half of the answers are faster
    "GET /v2.1/ (discovery) p50 ms at 1": Peer(2.1),
    "GET /servers, none p50 ms at 1": Peer(22),
    "GET /servers, 100 p50 ms at 1": Peer(128),
    "GET /servers/detail, 10 p50 ms at 1": Peer(168, 4),
    "GET /servers/detail, 100 p50 ms at 1": Peer(351, 8),
    "GET /servers/detail, 1000 p50 ms at 1": Peer(3089, 60),
    "GET /servers/{id} p50 ms at 1": Peer(62),
    "GET /flavors/detail p50 ms at 1": Peer(11),
    # seconds, without a network
    "POST accepted s": Peer(0.115, 0.008),
    "POST to ACTIVE s": Peer(0.59, 0.05),
    "DELETE to 404 s": Peer(0.37, 0.04),
    "100 POSTs at once: all accepted s": Peer(66, 1),
    "100 POSTs at once: all ACTIVE s": Peer(108, 4),
    "100 at once: all deleted s": Peer(55, 3),
    "start to first GET /servers s": Peer(4.1, 2),
    "start to compute up s": Peer(10.5, 2.5),
    # MiB: Nova's eight processes and Placement's three
    "memory idle PSS MiB": Peer(701, 150),
    "memory after load PSS MiB": Peer(795, 150),
    # decisions a second: Nova was not measured; the aim is this project's own
    "decisions/s at 100 hosts": Peer(None, 1000),
    "decisions/s at 10000 hosts": Peer(None, 50),
}
