"""ServerRequest and ServerSearch: what a client asked for, after HTTP is gone from it."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from nova_lite.objects.block_device import BlockDevice
from nova_lite.objects.network import NetworkRequest

T = TypeVar("T")


@dataclass(frozen=True)
class ServerRequest:
    """The body of POST /servers, checked for shape, nothing looked up. ``networks`` None means "not said".

    ``no_network`` is the string "none". ``user_data`` stays base64 text. ``availability_zone`` may still be
    ``zone:host:node``; ``host`` and ``node`` are the fields of 2.74. ``multiattach`` says that the caller
    knows of volumes that several servers share.
    """

    name: str
    flavor_ref: str
    image_ref: str = ""
    min_count: int = 1
    max_count: int = 1
    description: str | None = None
    hostname: str | None = None
    key_name: str | None = None
    admin_password: str | None = field(default=None, repr=False)
    metadata: dict[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    networks: tuple[NetworkRequest, ...] | None = None
    no_network: bool = False
    security_groups: tuple[str, ...] = ()
    block_devices: tuple[BlockDevice, ...] = ()
    multiattach: bool = True
    availability_zone: str | None = None
    host: str | None = None
    node: str | None = None
    user_data: str | None = None
    config_drive: bool | None = None
    auto_disk_config: bool | None = None
    access_ip_v4: str | None = None
    access_ip_v6: str | None = None
    scheduler_hints: dict[str, Any] = field(default_factory=dict)
    trusted_certs: tuple[str, ...] | None = None
    return_reservation_id: bool = False


class Page(list[T]):
    """One page of a list. ``end`` is where its last item stood, in an order where it may come to stand elsewhere."""

    def __init__(self, items: Iterable[T] = (), end: tuple[Any, ...] | None = None) -> None:
        super().__init__(items)
        self.end = end


@dataclass(frozen=True)
class ServerSearch:
    """A list request. ``filters`` hold database names; regular expressions under ``patterns``; times naive UTC.

    ``statuses`` is None for "any", else (vm_state, task_states or None) pairs or-ed together. ``soft_deleted`` servers
    are live ones (None), unless they shall be hidden from the live (False) or shown with the deleted (True).
    The page begins after the place ``after`` (what a Page said of its end), else after the server ``marker``.
    """

    project_id: str | None
    filters: dict[str, Any] = field(default_factory=dict)
    patterns: dict[str, str] = field(default_factory=dict)
    statuses: tuple[tuple[str, tuple[str, ...] | None], ...] | None = None
    tags_all: tuple[str, ...] = ()
    tags_any: tuple[str, ...] = ()
    not_tags_all: tuple[str, ...] = ()
    not_tags_any: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    changes_since: datetime.datetime | None = None
    changes_before: datetime.datetime | None = None
    deleted: bool | None = False
    soft_deleted: bool | None = None
    sort: tuple[tuple[str, str], ...] = (("created_at", "desc"), ("id", "desc"))
    limit: int = 1000
    marker: str | None = None
    after: tuple[Any, ...] | None = None
