"""Hypervisors: what each has. What is claimed of it is written by :mod:`nova_lite.db.api.allocations` alone."""

from __future__ import annotations

import builtins
import dataclasses
import functools
from typing import Any

import orjson
from sqlalchemy import Row, Text, delete, select, type_coerce, update

from nova_lite import exception
from nova_lite.db.api.instance_rows import primitive
from nova_lite.db.models import ComputeNode as Model
from nova_lite.db.models.base import JsonText
from nova_lite.db.session import reader, retry_on_deadlock, writer
from nova_lite.db.writes import affected, insert_missing
from nova_lite.objects import ComputeNode

_T = Model.__table__
_FIELDS = tuple(field.name for field in dataclasses.fields(ComputeNode))
_CLAIMED = frozenset({"vcpus_used", "memory_mb_used", "local_gb_used"})
_OURS = frozenset({"id", "uuid", "build_failures", "generation", "created_at", "updated_at"})
INVENTORY = tuple(name for name in _FIELDS if name not in _CLAIMED | _OURS)
_ALL = select(
    *(
        type_coerce(_T.c[name], Text).label(name) if isinstance(_T.c[name].type, JsonText) else _T.c[name]
        for name in _FIELDS
    )
)


# -- reading --------------------------------------------------------------------------------------


def list_all() -> builtins.list[ComputeNode]:
    """Every hypervisor, in no order; equal JSON is one shared value, which nobody may change."""
    with reader() as session:
        return [_node(row) for row in session.execute(_ALL)]


def on_host(host: str) -> builtins.list[ComputeNode]:
    with reader() as session:
        return [_node(row) for row in session.execute(_ALL.where(_T.c.host == host).order_by(_T.c.id))]


def get(uuid: str) -> ComputeNode:
    """:raises ComputeHostNotFound: there is none."""
    return _get(uuid, _T.c.uuid == uuid)


def get_by_name(host: str, hypervisor_hostname: str) -> ComputeNode:
    """:raises ComputeHostNotFound: there is none."""
    return _get(host, _T.c.host == host, _T.c.hypervisor_hostname == hypervisor_hostname)


def _get(name: str, *where: Any) -> ComputeNode:
    with reader() as session:
        row = session.execute(_ALL.where(*where)).one_or_none()
    if row is None:
        raise exception.ComputeHostNotFound(host=name)
    return _node(row)


@functools.lru_cache(maxsize=1024)
def _mapping(text: str) -> dict[str, Any]:
    value: dict[str, Any] = orjson.loads(text)
    return value


@functools.lru_cache(maxsize=1024)
def _tuples(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(item) for item in orjson.loads(text))


_DECODERS = tuple(
    (_FIELDS.index(name), decode)
    for name, decode in (("cpu_info", _mapping), ("stats", _mapping), ("supported_instances", _tuples))
)


def _node(row: Row[Any]) -> ComputeNode:
    values = [*row]
    for index, decode in _DECODERS:
        values[index] = decode(values[index])
    return ComputeNode(*values)


# -- writing --------------------------------------------------------------------------------------


@retry_on_deadlock
def upsert(node: ComputeNode) -> ComputeNode:
    """Write what a hypervisor reports of itself, never its claims; ``generation`` rises if anything is new.

    :raises Conflict: the uuid belongs to another host: this one was renamed, or its disk was copied.
    """
    mine = (_T.c.host == node.host, _T.c.hypervisor_hostname == node.hypervisor_hostname)
    inventory = {name: primitive(getattr(node, name)) for name in INVENTORY}
    with writer() as session:
        row = session.execute(_ALL.where(*mine)).one_or_none()
        if row is None:
            _refuse_foreign(session.execute(_ALL.where(_T.c.uuid == node.uuid)).one_or_none(), node)
            insert_missing(session, _T, {**inventory, "uuid": node.uuid})
        else:
            known = _node(row)
            if any(getattr(known, name) != getattr(node, name) for name in INVENTORY):
                session.execute(update(_T).where(*mine).values(**inventory, generation=_T.c.generation + 1))
        return get_by_name(node.host, node.hypervisor_hostname)


def _refuse_foreign(row: Row[Any] | None, node: ComputeNode) -> None:
    if row is not None:
        raise exception.Conflict(
            f"Compute node {node.uuid} is known as {row.hypervisor_hostname} of host {row.host}; host {node.host} must "
            "not use its identity. Give the host back its old name, or remove the old node first."
        )


@retry_on_deadlock
def count_build_failure(host: str) -> None:
    """One more build in a row failed there."""
    with writer() as session:
        session.execute(update(_T).where(_T.c.host == host).values(build_failures=_T.c.build_failures + 1))


@retry_on_deadlock
def reset_build_failures(host: str) -> None:
    """A build succeeded there."""
    with writer() as session:
        session.execute(update(_T).where(_T.c.host == host, _T.c.build_failures > 0).values(build_failures=0))


@retry_on_deadlock
def destroy(uuid: str) -> None:
    """Forget a hypervisor. :raises ComputeHostNotFound: there is none."""
    with writer() as session:
        if not affected(session, delete(_T).where(_T.c.uuid == uuid)):
            raise exception.ComputeHostNotFound(host=uuid)
