"""The registry of failpoints: every door that operations go through, by family; each is a point before and after.

A door that only reads is one point: after it the world is as it was before it. ``UNWATCHED`` and ``BACKGROUND`` are the
doors that are no points of an operation; tests hold both against the drivers and the RPC interfaces there are.
"""

from __future__ import annotations

import enum


class Family(enum.StrEnum):
    """What stands on the other side of a door."""

    DB = "db"
    CALL = "call"
    CAST = "cast"
    DRIVER = "driver"
    NETWORK = "network"
    VOLUME = "volume"
    IMAGE = "image"


BEFORE_COMMIT, AFTER_COMMIT = "db.before_commit", "db.after_commit"

# Where something changes.
WRITES: dict[Family, tuple[str, ...]] = {
    Family.CALL: (
        "fail_operation", "finish_delete", "finish_operation", "guest_moved", "hand_over", "judge_guests",
        "look_again", "look_around", "progress", "put_down", "refuse_build", "report_cleaned", "report_migration",
        "select_destinations", "take_operation",
    ),
    Family.CAST: ("look_around", "run_operation"),
    Family.DRIVER: (
        "abort_live_migration", "attach_interface", "attach_volume", "check_can_live_migrate_destination",
        "confirm_migration", "create_disks", "delete_disks", "destroy", "detach_interface", "detach_volume",
        "finish_migration", "finish_revert_migration", "force_complete_live_migration", "inject_nmi",
        "live_migrate", "migrate_disk_and_power_off", "pause", "post_live_migration", "power_off", "power_on",
        "pre_live_migration", "reboot", "rescue", "resume", "revert_migration", "rollback_live_migration",
        "set_admin_password", "snapshot", "spawn", "suspend", "swap_volume", "unpause", "unrescue",
    ),
    Family.NETWORK: ("DELETE ports", "POST ports", "PUT ports"),
    Family.VOLUME: (
        "DELETE attachments", "DELETE volumes", "POST attachments", "POST attachments/action", "POST snapshots",
        "POST volumes", "POST volumes/action", "PUT attachments",
    ),
    Family.IMAGE: ("create", "delete", "upload"),
}  # fmt: skip
READS: dict[Family, tuple[str, ...]] = {
    Family.NETWORK: (
        "GET floatingips", "GET networks", "GET ports", "GET quotas", "GET security-groups", "GET subnets",
    ),
    Family.VOLUME: ("GET attachments", "GET snapshots", "GET types", "GET volumes"),
    Family.IMAGE: ("get", "list"),
}  # fmt: skip
POINTS: frozenset[str] = frozenset(
    {BEFORE_COMMIT, AFTER_COMMIT}
    | {f"{family}.{name}.{side}" for family, names in WRITES.items() for name in names for side in ("before", "after")}
    | {f"{family}.{name}.before" for family, names in READS.items() for name in names}
)

# What hosts do with guests that they find, and operators decide: no operation's work either.
QUARANTINE = frozenset({"quarantine", "release", "discard"})
# Of a driver: looking around changes nothing, and what an event of another service does is no operation.
UNWATCHED = frozenset(
    {"init_host", "close", "inventory", "list_guests", "find_guest", "list_disks", "list_incoming",
     "list_set_aside", "register_event_listener", "check_health", "power_state", "console_output", "console_endpoint",
     "diagnostics", "extend_volume", "state_directory", *QUARANTINE}
)  # fmt: skip
# Of the RPC interfaces: what services tell each other all the time, and what only looks.
BACKGROUND_VERBS = frozenset(
    {"ping", "heartbeat", "register_host", "report_health", "report_inventory", "report_power_state", "written_at",
     "host_instances", "external_events", "console_output", "diagnostics", "console_address",
     "survey", "list_quarantine", "release_quarantine", "discard_quarantine"}
)  # fmt: skip
# What services do by themselves, the oracle, and what a test looks at, by the names of their functions: no operation's.
BACKGROUND = frozenset(
    {"_beat", "sweep", "tidy", "_report_health", "_report_inventory", "_sync_power_states", "_report_event",
     "init_host", "register_host", "host_instances", "report_power_state", "report_health", "report_inventory",
     "heartbeat", "ping", "violations", "rows", "deadline_passes"}
)  # fmt: skip


def family(point: str) -> Family:
    """:raises ValueError: no such family."""
    return Family(point.partition(".")[0])
