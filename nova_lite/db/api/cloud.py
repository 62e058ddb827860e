"""Which cloud this database is of, and how far it has come: what hosts compare with what they have seen."""

from __future__ import annotations

import uuid as uuids
from dataclasses import dataclass

from sqlalchemy import select, update

from nova_lite.db.models import CloudIdentity as Model
from nova_lite.db.session import reader, retry_on_deadlock, writer
from nova_lite.db.writes import affected, insert_missing

_T = Model.__table__
# There is one row.
_ID = 1


@dataclass(frozen=True)
class Cloud:
    """``mark`` counts starts of daemons: in a copy of the database that is older than a host remembers, it is lower."""

    uuid: str
    mark: int


@retry_on_deadlock
def get() -> Cloud:
    """This database's, made at the first question."""
    found = _find()
    if found is not None:
        return found
    with writer() as session:
        insert_missing(session, _T, {"id": _ID, "uuid": str(uuids.uuid4()), "mark": 0})
    found = _find()
    assert found is not None
    return found


@retry_on_deadlock
def count_start() -> None:
    """A daemon started."""
    with writer() as session:
        if not affected(session, update(_T).where(_T.c.id == _ID).values(mark=_T.c.mark + 1)):
            insert_missing(session, _T, {"id": _ID, "uuid": str(uuids.uuid4()), "mark": 1})


@retry_on_deadlock
def rename() -> str:
    """It is another cloud from now on, which no host belongs to yet; its name."""
    new = str(uuids.uuid4())
    with writer() as session:
        if not affected(session, update(_T).where(_T.c.id == _ID).values(uuid=new)):
            insert_missing(session, _T, {"id": _ID, "uuid": new, "mark": 0})
    return new


def _find() -> Cloud | None:
    with reader() as session:
        row = session.execute(select(_T.c.uuid, _T.c.mark).where(_T.c.id == _ID)).one_or_none()
    return None if row is None else Cloud(row.uuid, row.mark)
