"""nova-lite-manage db: the schema."""

from __future__ import annotations

import argparse
from typing import Any

from oslo_config import cfg

from nova_lite.cmd import startup
from nova_lite.cmd.manage.answer import Answer, Noun
from nova_lite.db import migration, session


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
    """A question makes nothing: not even the file of an SQLite database."""
    current = None
    if not session.is_absent(conf):
        startup.open_database(conf)
        current = migration.version()
    head = migration.head()
    remark = f"   (this code needs {head}: run db sync)"
    if migration.is_newer(current):
        remark = f"   (newer than this code, which knows revisions up to {head}: upgrade nova-lite)"
    return Answer({"version": current, "head": head}, f"{current or 'none'}{'' if current == head else remark}")
