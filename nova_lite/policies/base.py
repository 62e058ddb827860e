"""The rule catalogue's grain and the roles everything else is built from, under Nova's names.

A resource's module lists its rules as ``RULES: tuple[Rule, ...]``. Keystone's implied roles (admin > manager > member >
reader) let the checks name one role each.
"""

from __future__ import annotations

from dataclasses import dataclass

PROJECT = ("project",)


@dataclass(frozen=True)
class Rule:
    """One policy. ``operations`` are (method, path) pairs for the documentation and the sample file."""

    name: str
    check: str
    description: str = ""
    operations: tuple[tuple[str, str], ...] = ()
    scope_types: tuple[str, ...] = PROJECT


ADMIN = "rule:context_is_admin"
# An admin may do in any project what the project's own people may.
PROJECT_MANAGER = "rule:project_manager_or_admin"
PROJECT_MEMBER = "rule:project_member_or_admin"
PROJECT_READER = "rule:project_reader_or_admin"
SERVICE = "rule:service_api"
SERVICE_OR_ADMIN = "rule:service_or_admin"
OWNER = "rule:context_is_admin or user_id:%(user_id)s"
ANYBODY = "@"
NOBODY = "!"

RULES = (
    Rule("context_is_admin", "role:admin", "Decides what is required for the 'is_admin:True' check to succeed."),
    Rule("admin_api", "is_admin:True", "Default rule for most Admin APIs."),
    Rule("admin_or_owner", "is_admin:True or project_id:%(project_id)s", "Legacy rule for overrides that name it."),
    Rule(
        "project_manager_api", "role:manager and project_id:%(project_id)s", "Default rule for Project Manager level."
    ),
    Rule("project_member_api", "role:member and project_id:%(project_id)s", "Default rule for Project Member level."),
    Rule("project_reader_api", "role:reader and project_id:%(project_id)s", "Default rule for Project Reader level."),
    Rule("project_manager_or_admin", f"rule:project_manager_api or {ADMIN}", "Project manager or admin."),
    Rule("project_member_or_admin", f"rule:project_member_api or {ADMIN}", "Project member or admin."),
    Rule("project_reader_or_admin", f"rule:project_reader_api or {ADMIN}", "Project reader or admin."),
    Rule("service_api", "role:service", "Default rule for calls between services."),
    Rule("service_or_admin", f"{SERVICE} or {ADMIN}", "Service or admin."),
)
