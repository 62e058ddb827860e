"""nova-lite-manage db: the schema."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from oslo_config import cfg

from nova_lite import exception, liveness
from nova_lite.cmd import startup
from nova_lite.cmd.manage.answer import Answer, Noun
from nova_lite.conductor import adoption
from nova_lite.db import migration, session
from nova_lite.db.api import services


def add(whats: Any) -> None:
    noun = Noun(whats, "db", "the database")
    wanted = noun.verb("sync", sync, "Bring the schema up to date; safe to repeat.")
    wanted.add_argument("revision", nargs="?", default="head", help="revision to go to, by default the newest")
    wanted.add_argument("--version", dest="revision", help="the same, as Nova's tool calls it")
    wanted.add_argument("--local_cell", action="store_true", help="accepted, not used: there is one cell")
    text = "Take a database that was restored from a backup for the truth. Read doc/admin/restore.md first."
    adopting = noun.verb("adopt", adopt, text)
    adopting.add_argument("--force", action="store_true", help="although daemons of this database are up")
    noun.verb("version", version, "Say which schema the database has and which this code needs.")


def sync(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Answer:
    startup.open_database(conf)
    revision = migration.sync(args.revision)
    return Answer({"version": revision}, f"The database is at revision {revision}.")


def adopt(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Answer:
    """:raises Conflict: a daemon is up, and nobody insists."""
    startup.open_database(conf)
    migration.check()
    down_s = conf.operations.service_down_s
    up = sorted(f"{each.binary} on {each.host}" for each in services.list() if liveness.is_up(each, down_s))
    if up and not args.force:
        raise exception.Conflict(
            f"Daemons are up: {', '.join(up)}. Stop all of them, wait for {down_s:.0f} s, and repeat; or say --force."
        )
    found = adoption.adopt()
    lines = [f"This database is that of cloud {found.cloud} now. Each host and conductor has to be let in anew."]
    for name, ids in (("Servers in error", found.servers), ("Images", found.images), ("Volumes", found.volumes)):
        lines += [f"{name} to be looked at: {', '.join(ids)}"] if ids else []
    return Answer(dataclasses.asdict(found), "\n".join(lines))


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
