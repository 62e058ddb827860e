"""Flavors, and which projects may use the private ones."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from nova_lite.db.models.base import BIG, Base, Json, LongText, Pk, Stamped, table_args


class Flavor(Stamped, Base):
    """Sizes in MiB and GiB; ``flavorid`` is the public id."""

    __tablename__ = "flavors"
    __table_args__ = table_args(Index(None, "flavorid", unique=True), Index(None, "name", unique=True))

    id: Mapped[Pk]
    flavorid: Mapped[str]
    name: Mapped[str]
    vcpus: Mapped[int]
    memory_mb: Mapped[int]
    root_gb: Mapped[int]
    ephemeral_gb: Mapped[int] = mapped_column(default=0)
    swap_mb: Mapped[int] = mapped_column(default=0)
    rxtx_factor: Mapped[float] = mapped_column(default=1.0)
    is_public: Mapped[bool] = mapped_column(default=True)
    disabled: Mapped[bool] = mapped_column(default=False)
    description: Mapped[LongText | None]
    extra_specs: Mapped[Json] = mapped_column(default=dict)


class FlavorProject(Base):
    """A project that may use a private flavor."""

    __tablename__ = "flavor_projects"
    __table_args__ = table_args(Index(None, "project_id"))

    flavor_id: Mapped[int] = mapped_column(
        BIG, ForeignKey("flavors.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    project_id: Mapped[str] = mapped_column(primary_key=True)
