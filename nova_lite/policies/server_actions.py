"""Rules of the server actions."""

from __future__ import annotations

from nova_lite.policies.base import ADMIN, PROJECT_MEMBER, Rule


def _rule(name: str, check_str: str, key: str, description: str) -> Rule:
    return Rule(f"os_compute_api:{name}", check_str, description, (("POST", f"/servers/{{id}}/action ({key})"),))


RULES: tuple[Rule, ...] = (
    _rule("servers:start", PROJECT_MEMBER, "os-start", "Start a stopped server."),
    _rule("servers:stop", PROJECT_MEMBER, "os-stop", "Stop a server."),
    _rule("servers:reboot", PROJECT_MEMBER, "reboot", "Reboot a server."),
    _rule("os-pause-server:pause", PROJECT_MEMBER, "pause", "Pause a server."),
    _rule("os-pause-server:unpause", PROJECT_MEMBER, "unpause", "Unpause a server."),
    _rule("os-suspend-server:suspend", PROJECT_MEMBER, "suspend", "Suspend a server."),
    _rule("os-suspend-server:resume", PROJECT_MEMBER, "resume", "Resume a suspended server."),
    _rule("os-lock-server:lock", PROJECT_MEMBER, "lock", "Lock a server."),
    _rule("os-lock-server:unlock", PROJECT_MEMBER, "unlock", "Unlock a server."),
    _rule("os-lock-server:unlock:unlock_override", ADMIN, "unlock", "Unlock a server that an administrator locked."),
    _rule("os-console-output", PROJECT_MEMBER, "os-getConsoleOutput", "Read a server's console log."),
    _rule("os-admin-actions:reset_state", ADMIN, "os-resetState", "Set a server's state by hand."),
    _rule("os-admin-password", PROJECT_MEMBER, "changePassword", "Set the password of the guest's administrator."),
    _rule("servers:trigger_crash_dump", PROJECT_MEMBER, "trigger_crash_dump", "Interrupt a guest so that it dumps."),
    _rule("os-deferred-delete:restore", PROJECT_MEMBER, "restore", "Bring back a soft-deleted server."),
    _rule("os-deferred-delete:force", PROJECT_MEMBER, "forceDelete", "Delete a server at once."),
)
