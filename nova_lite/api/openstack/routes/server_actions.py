"""The actions of a server that are one driver call or the API's own; the key of the body says which."""

from __future__ import annotations

from nova_lite.api.openstack.microversions import at
from nova_lite.api.openstack.routes.route import OS, Route


def server_action(key: str, method: str, policy: str, status: int = 202) -> Route:
    return Route(
        "POST", "/servers/{id}/action", f"server_actions:{method}", OS + policy, status, subject="server", action=key
    )


ROUTES = (
    server_action("os-start", "start", "servers:start"),
    server_action("os-stop", "stop", "servers:stop"),
    server_action("reboot", "reboot", "servers:reboot"),
    server_action("pause", "pause", "os-pause-server:pause"),
    server_action("unpause", "unpause", "os-pause-server:unpause"),
    server_action("suspend", "suspend", "os-suspend-server:suspend"),
    server_action("resume", "resume", "os-suspend-server:resume"),
    server_action("lock", "lock", "os-lock-server:lock"),
    server_action("unlock", "unlock", "os-lock-server:unlock"),
    server_action("os-getConsoleOutput", "console_output", "os-console-output", 200),
    server_action("os-resetState", "reset_state", "os-admin-actions:reset_state"),
    server_action("changePassword", "change_password", "os-admin-password"),
    Route(
        "POST", "/servers/{id}/action", "server_actions:trigger_crash_dump", OS + "servers:trigger_crash_dump", 202,
        at("2.17"), subject="server", action="trigger_crash_dump",
    ),
    server_action("restore", "restore", "os-deferred-delete:restore"),
    server_action("forceDelete", "force_delete", "os-deferred-delete:force"),
)
