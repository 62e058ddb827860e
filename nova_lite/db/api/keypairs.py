"""Public keys of users; each counts against its user's quota."""

from __future__ import annotations

import builtins

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.db.api import quotas
from nova_lite.db.models import KeyPair as Model
from nova_lite.db.session import reader, retry_on_deadlock, writer
from nova_lite.db.text import storable
from nova_lite.db.writes import affected, new_id
from nova_lite.objects import KeyPair

_T = Model.__table__
_COUNT = {"key_pairs": 1}


def list(user_id: str, limit: int | None = None, marker: str | None = None) -> builtins.list[KeyPair]:  # noqa: A001
    """A user's keys by name, those after ``marker`` (a name). :raises MarkerNotFound: the user has no such key."""
    query = select(_T).where(_T.c.user_id == user_id).order_by(_T.c.name)
    with reader() as session:
        if marker is not None:
            try:
                get(user_id, marker)
            except exception.KeypairNotFound:
                raise exception.MarkerNotFound(f"Marker {marker} could not be found.", marker=marker) from None
            query = query.where(_T.c.name > marker)
        if limit is not None:
            query = query.limit(max(limit, 0))
        return [KeyPair(**row._mapping) for row in session.execute(query)]


def get(user_id: str, name: str) -> KeyPair:
    """:raises KeypairNotFound: the user has no such key."""
    if storable(name):
        with reader() as session:
            row = session.execute(select(_T).where(_T.c.user_id == user_id, _T.c.name == name)).one_or_none()
        if row is not None:
            return KeyPair(**row._mapping)
    raise exception.KeypairNotFound(name=name, user_id=user_id)


@retry_on_deadlock
def create(keypair: KeyPair, limit: int = -1) -> KeyPair:
    """Write a key; ``limit`` is how many the user may have.

    :raises KeypairExists: the user has one of that name.
    :raises OverQuota: the user has as many as allowed.
    """
    values = {
        "user_id": keypair.user_id, "name": keypair.name, "type": keypair.type, "fingerprint": keypair.fingerprint,
        "public_key": keypair.public_key, "created_at": keypair.created_at or utcnow(),
    }  # fmt: skip
    with writer() as session:
        try:
            quotas.reserve(quotas.USER, keypair.user_id, _COUNT, {"key_pairs": limit})
        except exception.OverQuota as error:
            raise exception.OverQuota("Quota exceeded, too many key pairs.", **error.facts) from None
        try:
            created = new_id(session, insert(_T).values(values))
        except IntegrityError:
            raise exception.KeypairExists(name=keypair.name) from None
    return keypair.replace(id=created, created_at=values["created_at"])


@retry_on_deadlock
def destroy(user_id: str, name: str) -> None:
    """:raises KeypairNotFound: the user has no such key."""
    with writer() as session:
        get(user_id, name)
        quotas.release(quotas.USER, user_id, _COUNT)
        if not affected(session, delete(_T).where(_T.c.user_id == user_id, _T.c.name == name)):
            raise exception.KeypairNotFound(name=name, user_id=user_id)
