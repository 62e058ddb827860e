"""The actions of a server that make, use or need images."""

from __future__ import annotations

from nova_lite.api.openstack.routes.route import OS, Route


def _action(key: str, method: str, policy: str, status: int = 202) -> Route:
    return Route(
        "POST", "/servers/{id}/action", f"server_images:{method}", OS + policy, status, subject="server", action=key
    )


ROUTES = (
    _action("createImage", "create_image", "servers:create_image"),
    _action("createBackup", "create_backup", "os-create-backup"),
    _action("rebuild", "rebuild", "servers:rebuild"),
    _action("rescue", "rescue", "os-rescue", 200),
    _action("unrescue", "unrescue", "os-unrescue"),
    _action("shelve", "shelve", "os-shelve:shelve"),
    _action("shelveOffload", "shelve_offload", "os-shelve:shelve_offload"),
    _action("unshelve", "unshelve", "os-shelve:unshelve"),
)
