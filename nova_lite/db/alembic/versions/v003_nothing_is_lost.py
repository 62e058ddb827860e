"""What lets nothing be lost: attempts at rest, daemons' versions, the identity of hosts, volumes nothing came of."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "sqlite_autoincrement": True,
}

revision = "003"
down_revision = "002"


def upgrade() -> None:
    # With defaults of the database's own: daemons of the former release insert rows without these columns.
    _add("operations", sa.Column("rests", sa.Integer(), server_default="0", nullable=False))
    _add("services", sa.Column("beats", BIG, server_default="0", nullable=False))
    _add("services", sa.Column("works_with", sa.Integer(), server_default="1", nullable=False))
    _add("services", sa.Column("identity", sa.String(36), nullable=True))
    tables = sa.inspect(op.get_bind()).get_table_names()
    if "cloud_identity" not in tables:
        _cloud_identity()
    if "provisional_volumes" not in tables:
        _provisional_volumes()


def _add(table: str, column: sa.Column[Any]) -> None:
    """Unless it is there: for some hours of development revision 002 had all of this."""
    if column.name not in {each["name"] for each in sa.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)


def _cloud_identity() -> None:
    op.create_table(
        "cloud_identity",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("mark", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cloud_identity"),
        **OPTIONS,
    )


def _provisional_volumes() -> None:
    op.create_table(
        "provisional_volumes",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("volume_id", sa.String(36), nullable=True),
        sa.Column("doomed", sa.Boolean(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_provisional_volumes"),
        **OPTIONS,
    )
    op.create_index("ix_provisional_volumes_instance_uuid", "provisional_volumes", ["instance_uuid"])
    op.create_index("ix_provisional_volumes_due_at", "provisional_volumes", ["due_at"])
