"""Groups of hosts; the availability zone of a host is that of its aggregates' metadata."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Mapping

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from nova_lite import exception
from nova_lite.db.models import Aggregate, AggregateHost
from nova_lite.db.session import reader, retry_on_deadlock, writer
from nova_lite.db.writes import affected, insert_missing, new_id

_A = Aggregate.__table__
_H = AggregateHost.__table__
ZONE = "availability_zone"


def availability_zone_of_hosts() -> dict[str, str]:
    """host -> zone, for the hosts that are in one; of several the oldest aggregate's."""
    query = select(_H.c.host, _A.c.metadata).join_from(_H, _A, _A.c.id == _H.c.aggregate_id).order_by(_A.c.id.desc())
    with reader() as session:
        return {host: metadata[ZONE] for host, metadata in session.execute(query) if metadata.get(ZONE)}


@retry_on_deadlock
def create(name: str, metadata: Mapping[str, str]) -> int:
    """The new aggregate's id. :raises Conflict: the name is taken."""
    values = {"uuid": str(uuids.uuid4()), "name": name, "metadata": dict(metadata)}
    try:
        with writer() as session:
            return new_id(session, insert(_A).values(values))
    except IntegrityError:
        raise exception.Conflict(f"Aggregate {name} already exists.") from None


@retry_on_deadlock
def destroy(aggregate_id: int) -> None:
    """:raises NotFound: there is none."""
    with writer() as session:
        if not affected(session, delete(_A).where(_A.c.id == aggregate_id)):
            raise exception.NotFound(f"Aggregate {aggregate_id} could not be found.")


@retry_on_deadlock
def add_host(aggregate_id: int, host: str) -> None:
    """Put a host in; twice is once. :raises NotFound: there is no such aggregate."""
    with writer() as session:
        if session.execute(select(_A.c.id).where(_A.c.id == aggregate_id)).one_or_none() is None:
            raise exception.NotFound(f"Aggregate {aggregate_id} could not be found.")
        insert_missing(session, _H, {"aggregate_id": aggregate_id, "host": host})


@retry_on_deadlock
def remove_host(aggregate_id: int, host: str) -> None:
    """Take a host out; one that is not in is no error."""
    with writer() as session:
        session.execute(delete(_H).where(_H.c.aggregate_id == aggregate_id, _H.c.host == host))
