"""What the whole compute API needs: moves, server groups, console tokens, idempotency keys; indexes for purging."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "sqlite_autoincrement": True,
}

revision = "002"
down_revision = "001"


def upgrade() -> None:
    op.add_column("instances", sa.Column("server_group", sa.String(36), nullable=True))
    op.add_column("instances", sa.Column("system_metadata", TEXT, nullable=True))
    op.execute("UPDATE instances SET system_metadata = '{}'")
    with op.batch_alter_table("instances", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.alter_column("system_metadata", existing_type=TEXT, nullable=False)
    op.create_index("ix_instances_server_group", "instances", ["server_group"])
    op.create_index("ix_instances_deleted_at_id", "instances", ["deleted_at", "id"])
    op.create_index("ix_instances_project_id_display_name_id", "instances", ["project_id", "display_name", "id"])
    op.create_index("ix_instances_host_created_at_id", "instances", ["host", "created_at", "id"])
    op.create_index("ix_operations_finish_time", "operations", ["finish_time"])
    _migrations()
    _server_groups()
    _user_quotas()
    _console_tokens()
    _idempotency_keys()
    _provisional_images()


def _migrations() -> None:
    op.create_table(
        "migrations",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("operation_id", BIG, nullable=True),
        sa.Column("migration_type", sa.String(64), nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(255), nullable=True),
        sa.Column("project_id", sa.String(255), nullable=True),
        sa.Column("source_compute", sa.String(255), nullable=True),
        sa.Column("source_node", sa.String(255), nullable=True),
        sa.Column("dest_compute", sa.String(255), nullable=True),
        sa.Column("dest_node", sa.String(255), nullable=True),
        sa.Column("dest_host", sa.String(255), nullable=True),
        sa.Column("old_flavor", TEXT, nullable=True),
        sa.Column("new_flavor", TEXT, nullable=True),
        sa.Column("held_vcpus", BIG, nullable=False),
        sa.Column("held_memory_mb", BIG, nullable=False),
        sa.Column("old_vm_state", sa.String(64), nullable=True),
        sa.Column("progress", TEXT, nullable=False),
        sa.Column("wish", sa.String(64), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_migrations"),
        **OPTIONS,
    )
    op.create_index("ix_migrations_uuid", "migrations", ["uuid"], unique=True)
    op.create_index("ix_migrations_instance_uuid_id", "migrations", ["instance_uuid", "id"])
    op.create_index("ix_migrations_status_id", "migrations", ["status", "id"])
    op.create_index("ix_migrations_updated_at", "migrations", ["updated_at"])


def _server_groups() -> None:
    op.create_table(
        "server_groups",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(255), nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("policy", sa.String(64), nullable=False),
        sa.Column("rules", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_server_groups"),
        **OPTIONS,
    )
    op.create_index("ix_server_groups_uuid", "server_groups", ["uuid"], unique=True)
    op.create_index("ix_server_groups_project_id_id", "server_groups", ["project_id", "id"])


def _user_quotas() -> None:
    op.create_table(
        "user_quotas",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("project_id", sa.String(255), nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("resource", sa.String(64), nullable=False),
        sa.Column("hard_limit", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_user_quotas"),
        **OPTIONS,
    )
    op.create_index(
        "ix_user_quotas_project_id_user_id_resource",
        "user_quotas",
        ["project_id", "user_id", "resource"],
        unique=True,
    )


def _console_tokens() -> None:
    op.create_table(
        "console_tokens",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("console_type", sa.String(64), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("tls_port", sa.Integer(), nullable=True),
        sa.Column("internal_access_path", sa.String(255), nullable=True),
        sa.Column("access_url_base", sa.String(255), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_console_tokens"),
        **OPTIONS,
    )
    op.create_index("ix_console_tokens_token_hash", "console_tokens", ["token_hash"], unique=True)
    op.create_index("ix_console_tokens_instance_uuid", "console_tokens", ["instance_uuid"])
    op.create_index("ix_console_tokens_expires_at", "console_tokens", ["expires_at"])


def _idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("project_id", sa.String(255), nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("body_hash", sa.String(64), nullable=False),
        sa.Column("answer", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_idempotency_keys"),
        **OPTIONS,
    )
    op.create_index(
        "ix_idempotency_keys_project_id_key_hash", "idempotency_keys", ["project_id", "key_hash"], unique=True
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])


def _provisional_images() -> None:
    op.create_table(
        "provisional_images",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("image_id", sa.String(36), nullable=False),
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("operation_id", BIG, nullable=True),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_provisional_images"),
        **OPTIONS,
    )
    op.create_index("ix_provisional_images_image_id", "provisional_images", ["image_id"], unique=True)
    op.create_index("ix_provisional_images_instance_uuid", "provisional_images", ["instance_uuid"])
