"""Limits that differ from the configured ones, and what is used."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from nova_lite.db.models.base import Base, Pk, Stamped, Word, table_args


class Quota(Stamped, Base):
    """A project's own limit of one resource; -1 is unlimited."""

    __tablename__ = "quotas"
    __table_args__ = table_args(Index(None, "project_id", "resource", unique=True))

    id: Mapped[Pk]
    project_id: Mapped[str]
    resource: Mapped[Word]
    hard_limit: Mapped[int]


class UserQuota(Stamped, Base):
    """One user's own limit of one resource within a project; -1 is unlimited."""

    __tablename__ = "user_quotas"
    __table_args__ = table_args(Index(None, "project_id", "user_id", "resource", unique=True))

    id: Mapped[Pk]
    project_id: Mapped[str]
    user_id: Mapped[str]
    resource: Mapped[Word]
    hard_limit: Mapped[int]


class QuotaClass(Stamped, Base):
    """A limit for all projects of a class; the class ``default`` stands before the configured default."""

    __tablename__ = "quota_classes"
    __table_args__ = table_args(Index(None, "class_name", "resource", unique=True))

    id: Mapped[Pk]
    class_name: Mapped[str]
    resource: Mapped[Word]
    hard_limit: Mapped[int]


class QuotaUsage(Base):
    """How much a project or a user uses of one resource; the guard row that reservations compare and swap.

    ``scope`` is ``project`` or ``user``, ``scope_id`` its id.
    """

    __tablename__ = "quota_usages"
    __table_args__ = table_args(CheckConstraint("used >= 0", name="used_not_negative"))

    scope: Mapped[Word] = mapped_column(primary_key=True)
    scope_id: Mapped[str] = mapped_column(primary_key=True)
    resource: Mapped[Word] = mapped_column(primary_key=True)
    used: Mapped[int] = mapped_column(BigInteger, default=0)
