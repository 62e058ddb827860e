"""The tables of the first release."""

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

revision = "001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "aggregates",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("metadata", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_aggregates"),
        **OPTIONS,
    )
    op.create_index("ix_aggregates_name", "aggregates", ["name"], unique=True)
    op.create_index("ix_aggregates_uuid", "aggregates", ["uuid"], unique=True)

    op.create_table(
        "allocations",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("node_uuid", sa.String(36), nullable=False),
        sa.Column("vcpus", sa.Integer(), nullable=False),
        sa.Column("memory_mb", sa.Integer(), nullable=False),
        sa.Column("disk_gb", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_allocations"),
        **OPTIONS,
    )
    op.create_index(
        "ix_allocations_instance_uuid_node_uuid", "allocations", ["instance_uuid", "node_uuid"], unique=True
    )
    op.create_index("ix_allocations_node_uuid", "allocations", ["node_uuid"])

    op.create_table(
        "compute_nodes",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("hypervisor_hostname", sa.String(255), nullable=False),
        sa.Column("hypervisor_type", sa.String(255), nullable=False),
        sa.Column("hypervisor_version", sa.Integer(), nullable=False),
        sa.Column("vcpus", sa.Integer(), nullable=False),
        sa.Column("memory_mb", sa.Integer(), nullable=False),
        sa.Column("local_gb", sa.Integer(), nullable=False),
        sa.Column("vcpus_used", sa.Integer(), nullable=False),
        sa.Column("memory_mb_used", sa.Integer(), nullable=False),
        sa.Column("local_gb_used", sa.Integer(), nullable=False),
        sa.Column("running_vms", sa.Integer(), nullable=False),
        sa.Column("cpu_allocation_ratio", sa.Double(), nullable=False),
        sa.Column("ram_allocation_ratio", sa.Double(), nullable=False),
        sa.Column("disk_allocation_ratio", sa.Double(), nullable=False),
        sa.Column("reserved_host_cpus", sa.Integer(), nullable=False),
        sa.Column("reserved_host_memory_mb", sa.Integer(), nullable=False),
        sa.Column("reserved_host_disk_mb", sa.Integer(), nullable=False),
        sa.Column("disk_available_least", sa.Integer(), nullable=True),
        sa.Column("host_ip", sa.String(64), nullable=True),
        sa.Column("cpu_info", TEXT, nullable=False),
        sa.Column("supported_instances", TEXT, nullable=False),
        sa.Column("stats", TEXT, nullable=False),
        sa.Column("build_failures", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_compute_nodes"),
        **OPTIONS,
    )
    op.create_index(
        "ix_compute_nodes_host_hypervisor_hostname", "compute_nodes", ["host", "hypervisor_hostname"], unique=True
    )
    op.create_index("ix_compute_nodes_uuid", "compute_nodes", ["uuid"], unique=True)

    op.create_table(
        "flavors",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("flavorid", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("vcpus", sa.Integer(), nullable=False),
        sa.Column("memory_mb", sa.Integer(), nullable=False),
        sa.Column("root_gb", sa.Integer(), nullable=False),
        sa.Column("ephemeral_gb", sa.Integer(), nullable=False),
        sa.Column("swap_mb", sa.Integer(), nullable=False),
        sa.Column("rxtx_factor", sa.Double(), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("description", TEXT, nullable=True),
        sa.Column("extra_specs", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_flavors"),
        **OPTIONS,
    )
    op.create_index("ix_flavors_flavorid", "flavors", ["flavorid"], unique=True)
    op.create_index("ix_flavors_name", "flavors", ["name"], unique=True)

    op.create_table(
        "instances",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(255), nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.Column("display_description", sa.String(255), nullable=True),
        sa.Column("hostname", sa.String(255), nullable=True),
        sa.Column("vm_state", sa.String(64), nullable=False),
        sa.Column("task_state", sa.String(64), nullable=True),
        sa.Column("power_state", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("host", sa.String(255), nullable=True),
        sa.Column("node", sa.String(255), nullable=True),
        sa.Column("availability_zone", sa.String(255), nullable=True),
        sa.Column("pinned_availability_zone", sa.String(255), nullable=True),
        sa.Column("flavor", TEXT, nullable=False),
        sa.Column("flavor_id", sa.String(255), nullable=False),
        sa.Column("memory_mb", sa.Integer(), nullable=False),
        sa.Column("vcpus", sa.Integer(), nullable=False),
        sa.Column("disk_gb", sa.Integer(), nullable=False),
        sa.Column("image_ref", sa.String(255), nullable=False),
        sa.Column("image", TEXT, nullable=True),
        sa.Column("kernel_id", sa.String(255), nullable=False),
        sa.Column("ramdisk_id", sa.String(255), nullable=False),
        sa.Column("key_name", sa.String(255), nullable=True),
        sa.Column("key_data", TEXT, nullable=True),
        sa.Column("user_data", TEXT, nullable=True),
        sa.Column("config_drive", sa.Boolean(), nullable=False),
        sa.Column("auto_disk_config", sa.Boolean(), nullable=False),
        sa.Column("access_ip_v4", sa.String(64), nullable=True),
        sa.Column("access_ip_v6", sa.String(64), nullable=True),
        sa.Column("root_device_name", sa.String(255), nullable=True),
        sa.Column("launch_index", sa.Integer(), nullable=False),
        sa.Column("reservation_id", sa.String(255), nullable=True),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("locked_by", sa.String(64), nullable=True),
        sa.Column("locked_reason", sa.String(255), nullable=True),
        sa.Column("metadata", TEXT, nullable=False),
        sa.Column("scheduler_hints", TEXT, nullable=False),
        sa.Column("tags", TEXT, nullable=False),
        sa.Column("fault", TEXT, nullable=True),
        sa.Column("security_groups", TEXT, nullable=False),
        sa.Column("network_info", TEXT, nullable=False),
        sa.Column("addresses_v4", TEXT, nullable=True),
        sa.Column("addresses_v6", TEXT, nullable=True),
        sa.Column("block_devices", TEXT, nullable=False),
        sa.Column("trusted_certs", TEXT, nullable=True),
        sa.Column("launched_at", TIME, nullable=True),
        sa.Column("terminated_at", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("deleted_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_instances"),
        **OPTIONS,
    )
    op.create_index("ix_instances_created_at_id", "instances", ["created_at", "id"])
    op.create_index("ix_instances_host_deleted_at", "instances", ["host", "deleted_at"])
    op.create_index("ix_instances_project_id_created_at_id", "instances", ["project_id", "created_at", "id"])
    op.create_index("ix_instances_reservation_id", "instances", ["reservation_id"])
    op.create_index("ix_instances_task_state", "instances", ["task_state"])
    op.create_index("ix_instances_updated_at", "instances", ["updated_at"])
    op.create_index("ix_instances_uuid", "instances", ["uuid"], unique=True)

    op.create_table(
        "keypairs",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("fingerprint", sa.String(255), nullable=False),
        sa.Column("public_key", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_keypairs"),
        **OPTIONS,
    )
    op.create_index("ix_keypairs_user_id_name", "keypairs", ["user_id", "name"], unique=True)

    op.create_table(
        "operations",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("request_id", sa.String(255), nullable=False),
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("project_id", sa.String(255), nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("topic", sa.String(64), nullable=False),
        sa.Column("host", sa.String(255), nullable=True),
        sa.Column("owner", sa.String(255), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("args", TEXT, nullable=False),
        sa.Column("steps", TEXT, nullable=False),
        sa.Column("message", TEXT, nullable=True),
        sa.Column("verdict", TEXT, nullable=True),
        sa.Column("start_time", TIME, nullable=False),
        sa.Column("finish_time", TIME, nullable=True),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("deadline", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_operations"),
        **OPTIONS,
    )
    op.create_index("ix_operations_deadline", "operations", ["deadline"])
    op.create_index("ix_operations_instance_uuid_id", "operations", ["instance_uuid", "id"])
    op.create_index("ix_operations_instance_uuid_request_id", "operations", ["instance_uuid", "request_id"])
    op.create_index("ix_operations_lease_until", "operations", ["lease_until"])
    op.create_index("ix_operations_state_topic_host", "operations", ["state", "topic", "host"])

    op.create_table(
        "quota_classes",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("class_name", sa.String(255), nullable=False),
        sa.Column("resource", sa.String(64), nullable=False),
        sa.Column("hard_limit", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_quota_classes"),
        **OPTIONS,
    )
    op.create_index("ix_quota_classes_class_name_resource", "quota_classes", ["class_name", "resource"], unique=True)

    op.create_table(
        "quota_usages",
        sa.Column("scope", sa.String(64), nullable=False),
        sa.Column("scope_id", sa.String(255), nullable=False),
        sa.Column("resource", sa.String(64), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("used >= 0", name="ck_quota_usages_used_not_negative"),
        sa.PrimaryKeyConstraint("scope", "scope_id", "resource", name="pk_quota_usages"),
        **OPTIONS,
    )
    op.create_table(
        "quotas",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("project_id", sa.String(255), nullable=False),
        sa.Column("resource", sa.String(64), nullable=False),
        sa.Column("hard_limit", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_quotas"),
        **OPTIONS,
    )
    op.create_index("ix_quotas_project_id_resource", "quotas", ["project_id", "resource"], unique=True)

    op.create_table(
        "services",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("binary", sa.String(255), nullable=False),
        sa.Column("topic", sa.String(255), nullable=False),
        sa.Column("epoch", sa.String(64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("disabled_reason", sa.String(255), nullable=True),
        sa.Column("forced_down", sa.Boolean(), nullable=False),
        sa.Column("last_seen_at", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_services"),
        **OPTIONS,
    )
    op.create_index("ix_services_host_binary", "services", ["host", "binary"], unique=True)
    op.create_index("ix_services_uuid", "services", ["uuid"], unique=True)

    op.create_table(
        "aggregate_hosts",
        sa.Column("aggregate_id", BIG, autoincrement=False, nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.ForeignKeyConstraint(
            ["aggregate_id"], ["aggregates.id"], name="fk_aggregate_hosts_aggregate_id_aggregates", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("aggregate_id", "host", name="pk_aggregate_hosts"),
        **OPTIONS,
    )
    op.create_index("ix_aggregate_hosts_host", "aggregate_hosts", ["host"])

    op.create_table(
        "flavor_projects",
        sa.Column("flavor_id", BIG, autoincrement=False, nullable=False),
        sa.Column("project_id", sa.String(255), nullable=False),
        sa.ForeignKeyConstraint(
            ["flavor_id"], ["flavors.id"], name="fk_flavor_projects_flavor_id_flavors", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("flavor_id", "project_id", name="pk_flavor_projects"),
        **OPTIONS,
    )
    op.create_index("ix_flavor_projects_project_id", "flavor_projects", ["project_id"])

    op.create_table(
        "instance_faults",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("message", TEXT, nullable=False),
        sa.Column("details", TEXT, nullable=False),
        sa.Column("host", sa.String(255), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_uuid"], ["instances.uuid"], name="fk_instance_faults_instance_uuid_instances", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_instance_faults"),
        **OPTIONS,
    )
    op.create_index("ix_instance_faults_instance_uuid_id", "instance_faults", ["instance_uuid", "id"])

    op.create_table(
        "instance_tags",
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("tag", sa.String(80), nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_uuid"], ["instances.uuid"], name="fk_instance_tags_instance_uuid_instances", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("instance_uuid", "tag", name="pk_instance_tags"),
        **OPTIONS,
    )
    op.create_index("ix_instance_tags_tag", "instance_tags", ["tag"])

    op.create_table(
        "operation_events",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("operation_id", BIG, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("start_time", TIME, nullable=False),
        sa.Column("finish_time", TIME, nullable=True),
        sa.Column("result", sa.String(64), nullable=True),
        sa.Column("traceback", TEXT, nullable=True),
        sa.Column("host", sa.String(255), nullable=True),
        sa.Column("details", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name="fk_operation_events_operation_id_operations", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_operation_events"),
        **OPTIONS,
    )
    op.create_index("ix_operation_events_operation_id_id", "operation_events", ["operation_id", "id"])
