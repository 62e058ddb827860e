"""The facts that an audit judges, taken at one look; what was not heard is None or missing, never empty."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nova_lite.objects import (
    OPEN_STATES,
    Allocation,
    ComputeNode,
    ImageMeta,
    Instance,
    Migration,
    Operation,
    OperationState,
    Port,
    Presence,
    ServerGroup,
    Service,
)


@dataclass(frozen=True)
class WrongBooks:
    """A node whose ``*_used`` is not the sum of its claims, or is more than it has; (vCPUs, MiB, GiB) each."""

    node_uuid: str
    recorded: tuple[int, ...]
    actual: tuple[int, ...]
    capacity: tuple[float, ...]


@dataclass(frozen=True)
class WrongQuota:
    """A count of what a project or a user has that does not equal what there is."""

    scope: str
    scope_id: str
    resource: str
    recorded: int
    actual: int


@dataclass(frozen=True)
class Promise:
    """An image that goes unless something comes of it; ``is_due``: nothing did."""

    image_id: str
    instance_uuid: str
    operation_id: int | None
    is_due: bool


@dataclass(frozen=True)
class Reservation:
    """A request that asks the volume service for a server's volume; None: for all that it needs at its creation.

    It is not accepted yet; ``is_due``: it never will be, and what it got is being taken back.
    """

    ident: int
    instance_uuid: str
    volume_id: str | None
    is_due: bool


@dataclass(frozen=True)
class Token:
    """The tokens of one server's consoles: how many, and when the last and the first of them expire (naive UTC)."""

    instance_uuid: str
    count: int
    last_expiry: datetime.datetime
    first_expiry: datetime.datetime


@dataclass(frozen=True)
class Key:
    """A creation that a client may say again: the server that it made, and until when it is remembered (naive UTC)."""

    ident: int
    server: str
    expires_at: datetime.datetime


@dataclass(frozen=True)
class Hold:
    """An attachment of the volume service; ``is_attached``: a host uses the volume."""

    id: str
    volume_id: str
    server: str | None
    is_attached: bool
    status: str


@dataclass(frozen=True)
class World:
    """One look at everything.

    ``strict``: nothing is under way any more, so that nothing is excused by an operation, and everything that the cloud
    made is known to it. ``operations`` are the open ones and those that ended since ``since`` (None: all there ever
    were), ``moves`` those and the last ones of servers that were given up; ``broken`` says why some cannot be read, and
    of ``unreadable`` servers only the id is known. ``gone`` are deleted servers that something still names. ``volumes``
    are statuses by id, and ``shown`` those of servers, as the API shows them to an administrator. ``hosts`` are those
    that answered, ``unheard`` says why the others did not. ``unasked`` says why whoever could have been asked was not,
    which is no fault of theirs. ``touched`` are the servers that an operation changed while we looked.
    """

    now: datetime.datetime
    strict: bool = False
    since: datetime.datetime | None = None
    servers: Mapping[str, Instance] = field(default_factory=dict)
    gone: Mapping[str, Instance] = field(default_factory=dict)
    operations: tuple[Operation, ...] = ()
    moves: tuple[Migration, ...] = ()
    claims: tuple[Allocation, ...] = ()
    nodes: tuple[ComputeNode, ...] = ()
    services: tuple[Service, ...] = ()
    books: tuple[WrongBooks, ...] = ()
    quota: tuple[WrongQuota, ...] = ()
    groups: tuple[ServerGroup, ...] = ()
    promises: tuple[Promise, ...] = ()
    reservations: tuple[Reservation, ...] = ()
    tokens: tuple[Token, ...] = ()
    keys: tuple[Key, ...] = ()
    hosts: Mapping[str, tuple[Presence, ...]] = field(default_factory=dict)
    unheard: Mapping[str, str] = field(default_factory=dict)
    unasked: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, ImageMeta] | None = None
    ports: tuple[Port, ...] | None = None
    holds: tuple[Hold, ...] | None = None
    volumes: Mapping[str, str] | None = None
    shown: Mapping[str, str] | None = None
    broken: Mapping[int, str] = field(default_factory=dict)
    unreadable: frozenset[str] = frozenset()
    touched: frozenset[str] = frozenset()
    # How late an operation may be before it counts as left alone, and how long one without a deadline may take.
    grace: datetime.timedelta = datetime.timedelta(seconds=60)
    patience: datetime.timedelta = datetime.timedelta(hours=1)

    def is_under_way(self, operation: Operation) -> bool:
        """Open, within its deadline, and in the hands of a living worker or waiting for one."""
        if operation.state not in OPEN_STATES:
            return False
        if operation.deadline is not None and operation.deadline + self.grace < self.now:
            return False
        if operation.state is OperationState.PENDING or operation.lease_until is None:
            return True
        return operation.lease_until + self.grace >= self.now

    @property
    def busy(self) -> frozenset[str]:
        """Servers that are excused: something is being done to them, or was while we looked, or nobody can tell."""
        if self.strict:
            return self.unreadable
        under_way = {each.instance_uuid for each in self.operations if self.is_under_way(each)}
        return self.unreadable | self.touched | under_way

    @property
    def open_moves(self) -> Iterable[Migration]:
        return (move for move in self.moves if move.is_open)

    @property
    def node_hosts(self) -> dict[str, str]:
        """The host of each node."""
        return {node.uuid: node.host for node in self.nodes}
