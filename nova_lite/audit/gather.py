"""One look at everything: the database at one moment, then hosts and neighbours, then what changed meanwhile."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Any

from nova_lite import exception
from nova_lite.audit import neighbours
from nova_lite.audit.neighbours import Doors
from nova_lite.audit.world import Key, Promise, Reservation, Token, World, WrongBooks, WrongQuota
from nova_lite.db import clock
from nova_lite.db.api import (
    allocations,
    compute_nodes,
    console_tokens,
    history,
    idempotency,
    instances,
    migrations,
    provisional_images,
    provisional_volumes,
    quotas,
    server_groups,
    services,
)
from nova_lite.db.session import reader
from nova_lite.liveness import COMPUTE, dead_hosts
from nova_lite.objects import ImageMeta, Instance, ServerGroup

# How far the journal is looked back into: what ended earlier has been looked at many times.
HISTORY = datetime.timedelta(days=1)
DOWN = "is down"
_MOST = 10_000
_CHUNK = 500
# How much the clocks of those who write to the database may differ.
_SKEW = datetime.timedelta(seconds=5)


def look(doors: Doors, down_s: float, past: datetime.timedelta = HISTORY) -> World:
    """A cloud at work: what is not heard is said in ``unheard``.

    :param down_s: seconds without a heartbeat after which a host is not asked.
    """
    begun = clock.now()
    world = database(clock.settled(), begun - past)
    world = _hosts(world, doors, down_s)
    world = _services(world, doors)
    world = named(world)
    return replace(world, touched=history.touched(begun - _SKEW))


def database(now: datetime.datetime, since: datetime.datetime | None = None, strict: bool = False) -> World:
    """What the database says, in one transaction."""
    with reader():
        live = instances.live()
        servers = {server.uuid: server for server in _servers(live)}
        journal = history.journal(since)
        due = {image.image_id for image in provisional_images.due(_MOST)}
        dead = {row.id for row in provisional_volumes.due(_MOST)}
        return World(
            now=now,
            strict=strict,
            since=since,
            servers=servers,
            unreadable=frozenset(live) - servers.keys(),
            operations=tuple(journal.operations),
            broken=journal.broken,
            moves=(*migrations.under_way(), *migrations.given_up()),
            claims=tuple(allocations.list()),
            nodes=tuple(compute_nodes.list_all()),
            services=tuple(services.list()),
            books=tuple(WrongBooks(**vars(wrong)) for wrong in allocations.audit()),
            quota=tuple(WrongQuota(**vars(wrong)) for wrong in quotas.audit()),
            groups=tuple(_groups()),
            promises=tuple(
                Promise(each.image_id, each.instance_uuid, each.operation_id, each.image_id in due)
                for each in provisional_images.list_all()
            ),
            reservations=tuple(
                Reservation(each.id, each.instance_uuid, each.volume_id, each.id in dead)
                for each in provisional_volumes.list_all()
            ),
            tokens=tuple(Token(*row) for row in console_tokens.held()),
            keys=tuple(Key(*row) for row in idempotency.list_all()),
        )


def named(world: World) -> World:
    """With the deleted servers that somebody still names: they prove what may go."""
    names = {presence.uuid for presences in world.hosts.values() for presence in presences}
    names |= {str(hold.server) for hold in world.holds or ()} | {port.server for port in world.ports or ()}
    names |= {token.instance_uuid for token in world.tokens} | {key.server for key in world.keys}
    strangers = sorted(names - world.servers.keys() - {"", "None"})
    gone: dict[str, Instance] = {}
    for some in _chunks(strangers):
        found = instances.get_many(some, include_deleted=True)
        gone |= {server.uuid: server for server in found if server.is_deleted}
    return replace(world, gone=gone)


def pictures(found: Collection[ImageMeta], world: World) -> dict[str, ImageMeta]:
    """The images that have to do with servers."""
    shelved = {server.system_metadata.get("shelved_image_id") for server in world.servers.values()}
    return {image.id: image for image in found if "instance_uuid" in image.properties or image.id in shelved}


def _servers(live: list[str]) -> Iterator[Instance]:
    """These servers, some at a time; a row that cannot be read is left out."""
    for some in _chunks(live):
        yield from instances.get_many(some)


def _chunks(uuids: list[str]) -> Iterator[list[str]]:
    return (uuids[start : start + _CHUNK] for start in range(0, len(uuids), _CHUNK))


def _groups() -> Iterator[ServerGroup]:
    start = 0
    while True:
        page = server_groups.list(None, _CHUNK, start)
        yield from page
        if len(page) < _CHUNK:
            return
        start += _CHUNK


def _hosts(world: World, doors: Doors, down_s: float) -> World:
    """Who is down is seen by the heartbeats in the database, whether hosts are asked or not."""
    names = {service.host for service in world.services if service.binary == COMPUTE}
    down = dead_hosts(down_s) & names
    if doors.hosts is None:
        unasked = {**world.unasked, "compute hosts": "--no-hosts"}
        return replace(world, unheard=dict.fromkeys(sorted(down), DOWN), unasked=unasked)
    heard = doors.hosts(sorted(names - down))
    return replace(world, hosts=heard.hosts, unheard={**dict.fromkeys(sorted(down), DOWN), **heard.unheard})


def _services(world: World, doors: Doors) -> World:
    image, network, volume = doors.image, doors.network, doors.volume
    asked: dict[str, tuple[str, Callable[[], Any]]] = {}
    if image is not None:
        asked["images"] = "image service", lambda: pictures(image.list(None), world)
    if network is not None:
        asked["ports"] = "network service", lambda: _tuple(network.ports())
    if volume is not None:
        asked["holds"] = "volume service", lambda: neighbours.holds(volume)
        if doors.with_statuses:
            asked["volumes"] = "volume service", lambda: volume.statuses(None)
    found: dict[str, Any] = {}
    unheard, unasked = dict(world.unheard), dict(world.unasked)
    for name, (service, ask) in asked.items():
        try:
            found[name] = ask()
        except exception.NoVolumeService:
            unasked[service] = "the catalogue has none: there is nothing to compare with"
        except exception.NovaLiteError as error:
            unheard[service] = str(error)
    if "ports" in found and found["ports"] is None:
        unasked["network service"] = "[network] backend is not neutron: there are no ports"
    return replace(world, unheard=unheard, unasked=unasked, **found)


def _tuple(found: list[Any] | None) -> tuple[Any, ...] | None:
    return None if found is None else tuple(found)
