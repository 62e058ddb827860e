"""nova-lite-manage db: the schema."""

from __future__ import annotations

import argparse
from typing import Any

from oslo_config import cfg

from nova_lite.cmd import startup
from nova_lite.cmd.manage.answer import Answer, Noun
from nova_lite.db import migration


def add(whats: Any) -> None:
    noun = Noun(whats, "db", "the database")
    wanted = noun.verb("sync", sync, "Bring the schema up to date; safe to repeat.")
    wanted.add_argument("revision", nargs="?", default="head", help="revision to go to, by default the newest")
    wanted.add_argument("--version", dest="revision", help="the same, as Nova's tool calls it")
    wanted.add_argument("--local_cell", action="store_true", help="accepted, not used: there is one cell")
    noun.verb("version", version, "Say which schema the database has and which this code needs.")


def sync(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Answer:
    startup.open_database(conf)
    revision = migration.sync(args.revision)
    return Answer({"version": revision}, f"The database is at revision {revision}.")


def version(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Answer:
    startup.open_database(conf)
    current, head = migration.version(), migration.head()
    text = f"{current or 'none'}" + ("" if current == head else f"   (this code needs {head}: run db sync)")
    return Answer({"version": current, "head": head}, text)
