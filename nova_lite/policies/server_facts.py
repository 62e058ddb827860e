"""Rules of what is said about a server: metadata, tags, password, diagnostics, topology."""

from __future__ import annotations

from nova_lite.policies.base import ADMIN, PROJECT_MEMBER, PROJECT_READER, Rule


def _rule(name: str, check_str: str, method: str, path: str, description: str) -> Rule:
    return Rule(f"os_compute_api:{name}", check_str, description, ((method, f"/servers/{{server_id}}{path}"),))


RULES: tuple[Rule, ...] = (
    _rule("server-metadata:index", PROJECT_READER, "GET", "/metadata", "List a server's metadata."),
    _rule("server-metadata:show", PROJECT_READER, "GET", "/metadata/{id}", "Show one item of a server's metadata."),
    _rule("server-metadata:create", PROJECT_MEMBER, "POST", "/metadata", "Add to a server's metadata."),
    _rule("server-metadata:update_all", PROJECT_MEMBER, "PUT", "/metadata", "Replace a server's metadata."),
    _rule("server-metadata:update", PROJECT_MEMBER, "PUT", "/metadata/{id}", "Set one item of a server's metadata."),
    _rule("server-metadata:delete", PROJECT_MEMBER, "DELETE", "/metadata/{id}", "Delete one item of the metadata."),
    _rule("os-server-tags:index", PROJECT_READER, "GET", "/tags", "List a server's tags."),
    _rule("os-server-tags:show", PROJECT_READER, "GET", "/tags/{id}", "Ask whether a server has a tag."),
    _rule("os-server-tags:update_all", PROJECT_MEMBER, "PUT", "/tags", "Replace a server's tags."),
    _rule("os-server-tags:update", PROJECT_MEMBER, "PUT", "/tags/{id}", "Give a server a tag."),
    _rule("os-server-tags:delete_all", PROJECT_MEMBER, "DELETE", "/tags", "Delete all tags of a server."),
    _rule("os-server-tags:delete", PROJECT_MEMBER, "DELETE", "/tags/{id}", "Delete one tag of a server."),
    _rule("os-server-diagnostics", ADMIN, "GET", "/diagnostics", "Show what the hypervisor counts of a server."),
    Rule(
        "compute:server:topology:index", PROJECT_READER, "Show a server's NUMA layout.",
        (("GET", "/servers/{server_id}/topology"),),
    ),
    Rule(
        "compute:server:topology:host:index", ADMIN, "See where on the host a server's NUMA nodes are.",
        (("GET", "/servers/{server_id}/topology"),),
    ),
    _rule("nova-lite:server-scheduling:show", ADMIN, "GET", "/scheduling", "See why a server is where it is."),
    _rule("os-server-password:show", PROJECT_READER, "GET", "/os-server-password", "Show the password a guest posted."),
    _rule("os-server-password:clear", PROJECT_MEMBER, "DELETE", "/os-server-password", "Forget that password."),
)
