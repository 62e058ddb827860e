"""nova-lite-manage audit: does everything that exists agree with everything that should? Nothing is changed unasked.

Exit codes as Nova's ``placement audit``: 0 nothing found, 1 not everything answered, 3 something found, 4 something
found and all of it set right, 127 what was asked for makes no sense.
"""

from __future__ import annotations

import argparse
import sys
import uuid
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from oslo_config import cfg

from nova_lite import concurrency, exception, rpc
from nova_lite.audit import gather, metrics, repair
from nova_lite.audit.finding import Finding, Key, Repair
from nova_lite.audit.neighbours import Doors, Hosts
from nova_lite.audit.table import RULES, findings
from nova_lite.audit.world import World
from nova_lite.cmd import startup
from nova_lite.cmd.manage import messages
from nova_lite.cmd.manage.answer import Answer, table
from nova_lite.cmd.manage.answer import add as add_command
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.db.api import history, instances, services
from nova_lite.image.api import API as ImageAPI
from nova_lite.liveness import COMPUTE
from nova_lite.network import loader as network_loader
from nova_lite.volume.api import API as VolumeAPI

NONE, ERROR, FOUND, REPAIRED, BAD_INPUT = 0, 1, 3, 4, 127
FORMATS = ("table", "json", "value", "metrics")
COLUMNS = ("invariant", "kind", "id", "host", "finding")
# Seconds between two looks, and how often we look whether what was begun is done.
SETTLE_S, PATIENCE = 5.0, 6
LONGEST_SETTLE_S = 3600.0
STILL_THERE = "it was done, or begun, and the finding still stands"


class BadInput(exception.NovaLiteError):
    """Something was named that is not there."""


def add(whats: Any) -> None:
    grammar = add_command(whats, "audit", run, __doc__.splitlines()[0].partition(": ")[2])
    grammar.description = __doc__
    grammar.formatter_class = argparse.RawDescriptionHelpFormatter
    grammar.add_argument("--host", help="only what is on this compute host")
    grammar.add_argument("--server", metavar="UUID", help="only what belongs to this server")
    grammar.add_argument("--format", choices=FORMATS, default="table", help="metrics: for a textfile collector")
    grammar.add_argument("--no-hosts", action="store_true", help="do not ask the compute hosts: needs no message bus")
    grammar.add_argument("--verbose", action="store_true", help="say what was asked, and what to do about each finding")
    grammar.add_argument(
        "--delete-stale", action="store_true", help="set right what the database proves to be nobody's, and only that"
    )
    grammar.add_argument(
        "--settle", type=_seconds, default=SETTLE_S, metavar="SECONDS",
        help="what is found is looked for again after so long: a cloud at work is never still (%(default)s)",
    )  # fmt: skip

    def refuse(message: str) -> NoReturn:
        print(f"{grammar.format_usage()}{grammar.prog}: error: {message}", file=sys.stderr)
        raise SystemExit(BAD_INPUT)

    grammar.error = refuse  # type: ignore[method-assign]


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= LONGEST_SETTLE_S:  # nor nan
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and {LONGEST_SETTLE_S:.0f}")
    return seconds


def run(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Answer:
    startup.open_database(conf)
    try:
        check(args)
    except BadInput as error:
        print(str(error), file=sys.stderr)
        return Answer({"error": str(error)}, "", BAD_INPUT)
    if not args.no_hosts:
        messages.open_way(conf)
    try:
        return audited(conf, args, _doors(conf, args))
    finally:
        rpc.cleanup()


def check(args: argparse.Namespace) -> None:
    """The server's id is put as the database has it. :raises BadInput: the host or the server is not known."""
    if args.host is not None and not services.list(COMPUTE, args.host):
        raise BadInput(f"There is no compute host {args.host}.")
    if args.server is not None:
        try:
            args.server = str(uuid.UUID(args.server))
            instances.get(args.server, include_deleted=True)
        except (ValueError, exception.InstanceNotFound):
            raise BadInput(f"There is no server {args.server}, and none of that id is remembered.") from None


def _doors(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Doors:
    hosts = None if args.no_hosts else Hosts(ComputeRpcAPI())
    return Doors(hosts, ImageAPI(conf), network_loader.load(conf), VolumeAPI(conf), with_statuses=True)


def audited(conf: cfg.ConfigOpts, args: argparse.Namespace, doors: Doors) -> Answer:
    """Look, set right what was asked to be, look again."""

    def look() -> World:
        return gather.look(doors, conf.operations.service_down_s)

    def of_interest(world: World) -> list[Finding]:
        return [finding for finding in findings(world) if _is_wanted(finding, args)]

    world, found = standing(look, of_interest, args.settle)
    left = found
    failed: dict[Key, str] = {}
    if args.delete_stale and found:
        failed = repair.repair(found, repair.Tools(doors, ComputeRpcAPI()))
        world, left = _until_settled(look, of_interest, found, args.settle, failed)
        failed = {each.key: failed.get(each.key, STILL_THERE) for each in left if each.repair is not None}
    silent = {name: why for name, why in world.unheard.items() if why != gather.DOWN}
    if left:
        code = FOUND
    elif found:
        code = REPAIRED
    else:
        code = ERROR if silent else NONE
    rows = [_row(finding, left, failed) for finding in found]
    return Answer(_facts(world, rows), _text(args, world, rows, left), code)


def standing(
    look: Callable[[], World], of_interest: Callable[[World], list[Finding]], settle_s: float
) -> tuple[World, list[Finding]]:
    """The last look, and what stood in two looks in a row."""
    world = look()
    first = {finding.key for finding in of_interest(world)}
    if not first:
        return world, []
    concurrency.sleep(settle_s)
    world = look()
    return world, [finding for finding in of_interest(world) if finding.key in first]


def _until_settled(
    look: Callable[[], World], of_interest: Callable[[World], list[Finding]], found: list[Finding], settle_s: float,
    failed: Mapping[Key, str],
) -> tuple[World, list[Finding]]:  # fmt: skip
    """Look again until what may be set right is; what is left of ``found``. For what failed nobody waits."""
    for _ in range(PATIENCE):
        world = look()
        now = {finding.key for finding in of_interest(world)}
        left = [finding for finding in found if finding.key in now or _went_silent(finding, world)]
        if all(finding.repair is None or finding.key in failed for finding in left):
            break
        concurrency.sleep(settle_s)
    return world, left


def _went_silent(finding: Finding, world: World) -> bool:
    """Of what only its host can tell nothing is known once the host is silent."""
    return finding.repair in (None, Repair.LOOK_AROUND) and finding.complaint.host in world.unheard


def _is_wanted(finding: Finding, args: argparse.Namespace) -> bool:
    complaint = finding.complaint
    return (args.host is None or complaint.host == args.host) and (
        args.server is None or args.server in (complaint.server, complaint.ident)
    )


# -- showing --------------------------------------------------------------------------------------------------------


def _row(finding: Finding, left: list[Finding], failed: Mapping[Key, str]) -> dict[str, Any]:
    kind, ident = finding.subject
    is_left = finding.key in {each.key for each in left}
    return {
        "invariant": finding.invariant, "rule": finding.rule.name, "kind": kind, "id": ident,
        "host": finding.complaint.host, "server": finding.complaint.server, "finding": finding.complaint.sentence,
        "repair": str(finding.repair) if finding.repair else None, "to_do": finding.advice, "repaired": not is_left,
        "failed": failed.get(finding.key),
    }  # fmt: skip


def _facts(world: World, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "findings": rows,
        "unheard": dict(world.unheard),
        "unasked": dict(world.unasked),
        "heard": sorted(world.hosts),
        "rules": len(RULES),
        "servers": len(world.servers),
    }


def _text(args: argparse.Namespace, world: World, rows: list[dict[str, Any]], left: list[Finding]) -> str:
    if args.format == "metrics":
        return metrics.text(world, left, history.failures()).rstrip()
    if args.format == "json":
        import json

        return json.dumps(_facts(world, rows), indent=2)
    if args.format == "value":
        return "\n".join(f"{row['invariant']} {row['kind']} {row['id']} {row['finding']}" for row in rows)
    lines = [table(rows, COLUMNS) if rows else "Nothing found."]
    if args.verbose:
        lines += [f"{row['id']}: {'done' if row['repaired'] else 'to do: ' + row['to_do']}" for row in rows]
        heard = ", ".join(world.hosts) or "none"
        lines.append(f"{len(RULES)} rules, {len(world.servers)} servers; hosts heard: {heard}")
    elif rows and not left:
        lines.append("All of it was set right.")
    lines += [f"{row['id']}: could not {row['repair']}: {row['failed']}" for row in rows if row["failed"]]
    lines += [f"Not asked: {name} ({why})" for name, why in world.unasked.items()]
    lines += [f"Not heard, nothing is known of it: {name} ({why})" for name, why in world.unheard.items()]
    return "\n".join(lines)
