"""Groups of servers with a placement policy; the members are the servers whose ``server_group`` names the group."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from nova_lite.db.models.base import Base, Json, Pk, Stamped, Uuid, Word, table_args


class ServerGroup(Stamped, Base):
    """``policy`` is affinity, anti-affinity, soft-affinity or soft-anti-affinity; ``rules`` as the API takes them."""

    __tablename__ = "server_groups"
    __table_args__ = table_args(Index(None, "uuid", unique=True), Index(None, "project_id", "id"))

    id: Mapped[Pk]
    uuid: Mapped[Uuid]
    project_id: Mapped[str]
    user_id: Mapped[str]
    name: Mapped[str]
    policy: Mapped[Word]
    rules: Mapped[Json] = mapped_column(default=dict)
