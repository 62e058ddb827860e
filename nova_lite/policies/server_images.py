"""Rules of the actions of servers that make, use or need images."""

from __future__ import annotations

from nova_lite.policies.base import ADMIN, PROJECT_MEMBER, Rule


def _rule(name: str, check_str: str, key: str, description: str) -> Rule:
    return Rule(f"os_compute_api:{name}", check_str, description, (("POST", f"/servers/{{id}}/action ({key})"),))


RULES: tuple[Rule, ...] = (
    _rule("servers:create_image", PROJECT_MEMBER, "createImage", "Make an image of a server."),
    _rule(
        "servers:create_image:allow_volume_backed", PROJECT_MEMBER, "createImage",
        "Make an image of a server whose root disk is a volume.",
    ),
    _rule("os-create-backup", PROJECT_MEMBER, "createBackup", "Make an image of a server and remove older ones."),
    _rule("servers:rebuild", PROJECT_MEMBER, "rebuild", "Build a server's root disk again."),
    _rule(
        "servers:rebuild:trusted_certs", PROJECT_MEMBER, "rebuild",
        "Rebuild a server from an image that is signed with trusted certificates.",
    ),
    _rule("os-rescue", PROJECT_MEMBER, "rescue", "Boot a server from a rescue image."),
    _rule("os-unrescue", PROJECT_MEMBER, "unrescue", "Boot a rescued server from its own disk again."),
    _rule("os-shelve:shelve", PROJECT_MEMBER, "shelve", "Shelve a server."),
    _rule("os-shelve:shelve_offload", ADMIN, "shelveOffload", "Take a shelved server off its host."),
    _rule("os-shelve:unshelve", PROJECT_MEMBER, "unshelve", "Bring a shelved server back."),
    _rule("os-shelve:unshelve_to_host", ADMIN, "unshelve", "Bring a shelved server back on a host of choice."),
)  # fmt: skip
