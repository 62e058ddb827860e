"""nova-lite-manage quarantine: guests that hosts have stopped and set apart, because they may be nobody's."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from oslo_config import cfg

from nova_lite import exception, liveness, rpc
from nova_lite.cmd import startup
from nova_lite.cmd.manage import messages
from nova_lite.cmd.manage.answer import Answer, Noun, table
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.context import admin_context
from nova_lite.db.api import services

COLUMNS = ("host", "uuid", "name", "since", "reason")


def add(whats: Any) -> None:
    noun = Noun(whats, "quarantine", "guests that were stopped and set apart")
    listing = noun.verb("list", list_all, "List them; exit code 1 when a host did not say which it has.")
    listing.add_argument("--host", help="only those of this compute host")
    for name, run, text in (
        ("release", release, "Forget that a guest was set apart. It stays off, and may be set apart again if it runs."),
        ("discard", discard, "Remove a guest that was set apart, with its disks. This cannot be undone."),
    ):
        verb = noun.verb(name, run, text)
        verb.add_argument("host", help="the compute host")
        verb.add_argument("uuid", help="the guest's uuid, which is its server's")


def list_all(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Answer:
    with _hosts(conf) as door:
        rows, silent = found(door, _asked(args.host), conf.operations.service_down_s)
    text = table(rows, COLUMNS) if rows else f"No guest is in quarantine{' on the hosts that answered' * bool(silent)}."
    text += "".join(f"\n{host}: {why}" for host, why in silent.items())
    return Answer({"guests": rows, "silent": silent}, text, 1 if silent else 0)


def found(door: ComputeRpcAPI, hosts: list[str], down_s: float) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Every guest in quarantine, and why a host did not say which it has."""
    rows: list[dict[str, Any]] = []
    silent: dict[str, str] = {}
    down = liveness.dead_hosts(down_s)
    for host in hosts:
        if host in down:
            silent[host] = "is down and was not asked"
            continue
        try:
            rows += [{"host": host, **guest} for guest in door.list_quarantine(admin_context(), host)]
        except exception.NovaLiteError as error:
            silent[host] = str(error)
    return rows, silent


def release(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Answer:
    """:raises NotFound: there is no such host, or no such guest in quarantine."""
    with _hosts(conf) as door:
        (host,) = _asked(args.host)
        door.release_quarantine(admin_context(), host, args.uuid)
    return Answer({"released": args.uuid}, f"Guest {args.uuid} on {args.host} is released. It is off.")


def discard(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Answer:
    """:raises NotFound: as release; :raises Conflict: its server lives there after all."""
    with _hosts(conf) as door:
        (host,) = _asked(args.host)
        door.discard_quarantine(admin_context(), host, args.uuid)
    return Answer({"discarded": args.uuid}, f"Guest {args.uuid} on {args.host} is gone, with its disks.")


def _asked(host: str | None) -> list[str]:
    """:raises ComputeHostNotFound: there is no compute host of that name."""
    known = [service.host for service in services.list(liveness.COMPUTE)]
    if host is None:
        return known
    if host not in known:
        raise exception.ComputeHostNotFound(host=host)
    return [host]


@contextmanager
def _hosts(conf: cfg.ConfigOpts) -> Iterator[ComputeRpcAPI]:
    startup.open_database(conf)
    messages.open_way(conf)
    try:
        yield ComputeRpcAPI()
    finally:
        rpc.cleanup()
