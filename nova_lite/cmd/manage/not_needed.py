"""What deploy scripts written for Nova call, and one database with one cell does not need."""

from __future__ import annotations

import argparse
from typing import Any

from oslo_config import cfg

from nova_lite.cmd.manage.answer import Answer, Noun, Run, table

CELL_VERBS = (
    "create_cell", "delete_cell", "delete_host", "discover_hosts", "list_hosts", "map_cell0", "map_cell_and_hosts",
    "map_instances", "simple_cell_setup", "update_cell", "verify_instance",
)  # fmt: skip
VERBS = {
    "api_db": {"sync": "There is one database: db sync is enough.", "version": "There is one database: db version."},
    "cell_v2": dict.fromkeys(CELL_VERBS, "There is one cell; nothing to do."),
    "placement": dict.fromkeys(("heal_allocations", "sync_aggregates"), "There is no Placement; nothing to do."),
}


def add(whats: Any) -> None:
    for name, verbs in VERBS.items():
        noun = Noun(whats, name, "accepted for scripts written for Nova")
        for each, text in verbs.items():
            noun.verb(each, _nothing(text), text).add_argument("ignored", nargs="*", help="accepted, not used")
        if name == "cell_v2":
            noun.verb("list_cells", list_cells, "List the one cell.").add_argument("--verbose", action="store_true")


def _nothing(text: str) -> Run:
    return lambda conf, args: Answer({"done": "nothing", "reason": text}, text)


def list_cells(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Answer:
    cell = {"name": "cell1", "uuid": "00000000-0000-0000-0000-000000000001", "disabled": False}
    return Answer([cell], table([cell], ("name", "uuid", "disabled")))
