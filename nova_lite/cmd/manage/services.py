"""nova-lite-manage service: the daemons."""

from __future__ import annotations

import argparse
from typing import Any

from oslo_config import cfg

from nova_lite import exception, liveness
from nova_lite.cmd import startup
from nova_lite.cmd.manage.answer import Answer, Noun, table
from nova_lite.db.api import services


def add(whats: Any) -> None:
    noun = Noun(whats, "service", "the daemons")
    noun.verb("list", list_all, "List all daemons that ever registered.")
    text = "Let another machine, or one that lost its state directory, be this compute host from its next start on."
    forgetting = noun.verb("forget_identity", forget_identity, text)
    forgetting.add_argument("host", help="the compute host")
    forgetting.add_argument("--force", action="store_true", help="although a daemon of that name is up")


def list_all(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Answer:
    startup.open_database(conf)
    down_s = conf.operations.service_down_s
    rows = [
        {
            "binary": service.binary,
            "host": service.host,
            "status": "disabled" if service.disabled else "enabled",
            "state": "up" if liveness.is_up(service, down_s) else "down",
            "last_seen_at": service.last_seen_at.isoformat(timespec="seconds") if service.last_seen_at else None,
            "disabled_reason": service.disabled_reason,
        }
        for service in services.list()
    ]
    return Answer(rows, table(rows, ("binary", "host", "status", "state", "last_seen_at")))


def forget_identity(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Answer:
    """:raises ServiceNotFound: there is no such compute host; :raises Conflict: it is up, and nobody insists."""
    startup.open_database(conf)
    service = services.get_by_host(args.host, liveness.COMPUTE)
    if not args.force and liveness.is_up(service, conf.operations.service_down_s):
        raise exception.Conflict(
            f"Compute host {args.host} is up: it is the machine that it was, and has its state directory. "
            "Stop its daemon first, or say --force."
        )
    services.forget_identity(args.host, liveness.COMPUTE)
    return Answer({"forgotten": args.host}, f"The next daemon that starts as compute host {args.host} is that host.")
