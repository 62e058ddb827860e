"""[quota]: what a project, a user or a server may have, unless the database says otherwise."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "quota"


def _limit(name: str, default: int, what: str) -> cfg.IntOpt:
    return cfg.IntOpt(
        name,
        default=default,
        min=-1,
        max=2**31 - 1,
        help=f"{what}; -1 is unlimited. Change it for all projects that have no limit of their own in the database.",
    )


OPTIONS = [
    _limit("instances", 10, "Servers a project may have"),
    _limit("cores", 20, "vCPUs the servers of a project may have together"),
    _limit("ram", 51200, "MiB of memory the servers of a project may have together"),
    _limit("metadata_items", 128, "Metadata items a server may have"),
    _limit("key_pairs", 100, "Key pairs a user may have"),
    _limit("server_groups", 10, "Server groups a project may have"),
    _limit("server_group_members", 10, "Servers a server group may have"),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
