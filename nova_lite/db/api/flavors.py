"""Flavors: sizes, extra specs, and who may use the private ones."""

from __future__ import annotations

import builtins
import functools
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.db.models import Flavor as Model
from nova_lite.db.models import FlavorProject
from nova_lite.db.session import reader, retry_on_deadlock, writer
from nova_lite.db.text import storable
from nova_lite.db.transaction import Transaction
from nova_lite.db.writes import affected, insert_missing, new_id
from nova_lite.objects import Flavor

_T = Model.__table__
_P = FlavorProject.__table__
_COLUMNS = tuple(_T.c[name] for name in Flavor.__dataclass_fields__)
_ALIASES = {"swap": "swap_mb", "disk": "root_gb", "ram": "memory_mb"}
SORT_KEYS = frozenset(column.name for column in _T.c) - {"extra_specs"}

# vCPUs, MiB, GiB
DEFAULTS = (
    Flavor("1", "m1.tiny", 1, 512, 1),
    Flavor("2", "m1.small", 1, 2048, 20),
    Flavor("3", "m1.medium", 2, 4096, 40),
    Flavor("4", "m1.large", 4, 8192, 80),
    Flavor("5", "m1.xlarge", 8, 16384, 160),
    Flavor("42", "m1.nano", 1, 128, 1),
)


# -- reading --------------------------------------------------------------------------------------


def list(  # noqa: A001
    is_public: bool | None = None,
    project_id: str | None = None,
    min_ram_mb: int = 0,
    min_disk_gb: int = 0,
    disabled: bool | None = None,
    sort_key: str = "flavorid",
    sort_dir: str = "asc",
    limit: int | None = None,
    marker: str | None = None,
    name: str | None = None,
) -> builtins.list[Flavor]:
    """One page. ``is_public`` None is both; with ``project_id`` those private ones count as public that it may use,
    and the others are left out. ``name`` is the whole name.

    :raises MarkerNotFound: no such flavor is visible.
    :raises Invalid: the sort key or direction is not supported.
    """
    key = _ALIASES.get(sort_key, sort_key)
    if key not in SORT_KEYS or sort_dir not in ("asc", "desc"):
        raise exception.Invalid(f"Sorting by {sort_key} {sort_dir} is not supported.")
    if name is not None and not storable(name):
        return []
    query = _page(is_public, project_id is not None, disabled, key, sort_dir, limit is not None, name is not None)
    values: dict[str, Any] = {"least_ram": min_ram_mb, "least_disk": min_disk_gb}
    if project_id is not None:
        values["own"] = project_id
    if name is not None:
        values["called"] = name
    if limit is not None:
        values["most"] = max(limit, 0)
    with reader() as session:
        if marker is not None:
            visible = select(_T).where(*_visible(is_public, project_id))
            query = query.where(_after(session, _T.c[key], sort_dir, visible, marker))
        return [Flavor(*row) for row in session.execute(query, values)]


@functools.lru_cache(maxsize=256)
def _page(
    is_public: bool | None, own: bool, disabled: bool | None, key: str, direction: str, limited: bool, named: bool
) -> Select[Any]:
    """The statement of a list, made once for each shape (making it costs as much as running it); values are bound."""
    where = _visible(is_public, bindparam("own") if own else None)
    query = select(*_COLUMNS).where(
        *where, _T.c.memory_mb >= bindparam("least_ram"), _T.c.root_gb >= bindparam("least_disk")
    )
    if disabled is not None:
        query = query.where(_T.c.disabled.is_(disabled))
    if named:
        query = query.where(_T.c.name == bindparam("called"))
    keys = (_T.c[key], _T.c.id)
    query = query.order_by(*(each.asc() if direction == "asc" else each.desc() for each in keys))
    return query.limit(bindparam("most")) if limited else query


def _visible(is_public: bool | None, project_id: str | BindParameter[Any] | None) -> builtins.list[ColumnElement[bool]]:
    if project_id is None:
        return [] if is_public is None else [_T.c.is_public.is_(is_public)]
    allowed = select(_P.c.flavor_id).where(_P.c.flavor_id == _T.c.id, _P.c.project_id == project_id).exists()
    if is_public is False:
        return [and_(_T.c.is_public.is_(False), allowed)]
    return [or_(_T.c.is_public.is_(True), allowed)]


def _after(
    session: Transaction, key: ColumnElement[Any], direction: str, visible: Select[Any], marker: str
) -> ColumnElement[bool]:
    row = session.execute(visible.where(_T.c.flavorid == marker)).one_or_none() if storable(marker) else None
    if row is None:
        raise exception.MarkerNotFound(marker=marker)
    value = row._mapping[str(key.key)]
    if direction == "asc":
        return or_(key > value, and_(key == value, _T.c.id > row.id))
    return or_(key < value, and_(key == value, _T.c.id < row.id))


_ANY_BY_ID = select(*_COLUMNS).where(_T.c.flavorid == bindparam("flavorid"))
_OWN_BY_ID = _ANY_BY_ID.where(*_visible(None, bindparam("own")))


def get_by_flavorid(flavorid: str, project_id: str | None = None, is_admin: bool = False) -> Flavor:
    """A flavor by its public id; a private one only for an admin or a project that may use it.

    :raises FlavorNotFound: there is none, or not for this project.
    """
    if storable(flavorid):
        values = {"flavorid": flavorid} if is_admin else {"flavorid": flavorid, "own": project_id or ""}
        with reader() as session:
            row = session.execute(_ANY_BY_ID if is_admin else _OWN_BY_ID, values).one_or_none()
        if row is not None:
            return Flavor(*row)
    raise exception.FlavorNotFound(flavor_id=flavorid)


def _get(flavorid: str) -> Flavor:
    return get_by_flavorid(flavorid, is_admin=True)


# -- writing --------------------------------------------------------------------------------------


@retry_on_deadlock
def create(flavor: Flavor, projects: Iterable[str] = ()) -> Flavor:
    """Write a flavor, and the projects that may use a private one.

    :raises FlavorExists: the name is taken. :raises FlavorIdExists: the public id is taken.
    """
    values = {name: getattr(flavor, name) for name in Flavor.__dataclass_fields__ if name not in ("id", "updated_at")}
    values["created_at"] = values["created_at"] or utcnow()
    with writer() as session:
        _refuse_taken(session, flavor)
        try:
            created = new_id(session, insert(_T).values(values))
        except IntegrityError as error:
            # somebody wrote the same since we looked: look again
            raise exception.DatabaseBusy from error
        for project_id in dict.fromkeys(projects):
            session.execute(insert(_P).values(flavor_id=created, project_id=project_id))
    return flavor.replace(id=created, created_at=values["created_at"])


def _refuse_taken(session: Transaction, flavor: Flavor) -> None:
    taken = select(_T.c.flavorid, _T.c.name).where(or_(_T.c.flavorid == flavor.flavorid, _T.c.name == flavor.name))
    for row in session.execute(taken).all():
        if row.flavorid == flavor.flavorid:
            raise exception.FlavorIdExists(flavor_id=flavor.flavorid)
        raise exception.FlavorExists(name=flavor.name)


@retry_on_deadlock
def update_description(flavorid: str, description: str | None) -> Flavor:
    """:raises FlavorNotFound: there is none."""
    with writer() as session:
        session.execute(update(_T).where(_T.c.flavorid == flavorid).values(description=description))
        return _get(flavorid)


@retry_on_deadlock
def destroy(flavorid: str) -> None:
    """Forget a flavor; servers keep their copy. :raises FlavorNotFound: there is none."""
    with writer() as session:
        flavor = _get(flavorid)
        session.execute(delete(_P).where(_P.c.flavor_id == flavor.id))
        session.execute(delete(_T).where(_T.c.id == flavor.id))


@retry_on_deadlock
def seed_defaults() -> int:
    """Write the classic flavors where there are none at all; how many."""
    with writer() as session:
        if session.execute(select(func.count()).select_from(_T)).scalar_one():
            return 0
        for flavor in DEFAULTS:
            names = Flavor.__dataclass_fields__.keys() - {"id", "created_at", "updated_at"}
            insert_missing(session, _T, {name: getattr(flavor, name) for name in names})
    return len(DEFAULTS)


# -- access ---------------------------------------------------------------------------------------


def access(flavorid: str) -> tuple[str, ...]:
    """Projects that may use a private flavor, sorted. :raises FlavorNotFound: there is none."""
    with reader() as session:
        found = session.scalars(select(_P.c.project_id).where(_P.c.flavor_id == _get(flavorid).id))
        return tuple(sorted(found))


@retry_on_deadlock
def add_access(flavorid: str, project_id: str) -> None:
    """:raises FlavorNotFound: there is none. :raises Conflict: the project may use it already."""
    with writer() as session:
        if project_id in access(flavorid):
            raise exception.Conflict(
                f"Flavor access already exists for flavor {flavorid} and project {project_id} combination."
            )
        insert_missing(session, _P, {"flavor_id": _get(flavorid).id, "project_id": project_id})


@retry_on_deadlock
def remove_access(flavorid: str, project_id: str) -> None:
    """:raises NotFound: there is no such flavor, or the project may not use it."""
    with writer() as session:
        mine = (_P.c.flavor_id == _get(flavorid).id, _P.c.project_id == project_id)
        if not affected(session, delete(_P).where(*mine)):
            raise exception.NotFound(f"Flavor access not found for {flavorid} / {project_id} combination.")


# -- extra specs ----------------------------------------------------------------------------------


@retry_on_deadlock
def set_extra_specs(flavorid: str, specs: Mapping[str, str]) -> dict[str, str]:
    """Add or change some; all there are then. :raises FlavorNotFound: there is none."""
    with writer() as session:
        merged = _locked_specs(session, flavorid) | dict(specs)
        session.execute(update(_T).where(_T.c.flavorid == flavorid).values(extra_specs=merged))
    return merged


@retry_on_deadlock
def delete_extra_spec(flavorid: str, key: str) -> None:
    """:raises NotFound: there is no such flavor, or it has no such extra spec."""
    with writer() as session:
        specs = _locked_specs(session, flavorid)
        if key not in specs:
            raise exception.NotFound(f"Flavor {flavorid} has no extra specs with key {key}.")
        del specs[key]
        session.execute(update(_T).where(_T.c.flavorid == flavorid).values(extra_specs=specs))


def _locked_specs(session: Transaction, flavorid: str) -> dict[str, str]:
    row = session.execute(select(_T.c.extra_specs).where(_T.c.flavorid == flavorid).with_for_update()).one_or_none()
    if row is None:
        raise exception.FlavorNotFound(flavor_id=flavorid)
    return dict(row.extra_specs)
