"""nova-lite-manage: the operator's tool. Verbs that only a larger Nova needs succeed and say that nothing is to do."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from nova_lite import concurrency

if TYPE_CHECKING:
    from oslo_config import cfg

BINARY = "nova-lite-manage"

# Deploy scripts written for Nova call these; there is one database and one cell here.
CELL_VERBS = (
    "create_cell", "delete_cell", "delete_host", "discover_hosts", "list_hosts", "map_cell0", "map_cell_and_hosts",
    "map_instances", "simple_cell_setup", "update_cell", "verify_instance",
)  # fmt: skip
NOT_NEEDED = {
    "api_db": {"sync": "There is one database: db sync is enough.", "version": "There is one database: db version."},
    "cell_v2": dict.fromkeys(CELL_VERBS, "There is one cell; nothing to do."),
    "placement": dict.fromkeys(("heal_allocations", "sync_aggregates"), "There is no Placement; nothing to do."),
}

Result = tuple[Any, str]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did what was asked, 1 when not, 2 when it was not understood."""
    concurrency.patch(concurrency.THREADING)
    grammar = parser()
    args, rest = grammar.parse_known_args(sys.argv[1:] if argv is None else argv)
    if rest and args.what not in NOT_NEEDED:
        grammar.error(f"unrecognized arguments: {' '.join(rest)}")
    from nova_lite import exception

    try:
        conf = _configure(args)
        facts, text = args.run(conf, args)
    except (exception.NovaLiteError, OSError) as error:
        print(json.dumps({"error": str(error)}) if args.json else f"{BINARY}: {error}", file=sys.stderr)
        return 1
    print(json.dumps(facts, indent=2) if args.json else text)
    return 1 if isinstance(facts, dict) and facts.get("problems") else 0


def _configure(args: argparse.Namespace) -> cfg.ConfigOpts:
    """The configuration, with a log that stays silent unless something is wrong."""
    import logging

    from nova_lite import config, log

    words = [word for path in args.config_file for word in ("--config-file", path)]
    words += [word for path in args.config_dir for word in ("--config-dir", path)]
    conf = config.parse_args(words + (["--debug"] if args.debug else []), BINARY)
    log.setup(conf, BINARY)
    if not args.debug:
        logging.getLogger().setLevel(logging.WARNING)
    return conf


# -- the commands ---------------------------------------------------------------------------------------------------


def parser() -> argparse.ArgumentParser:
    """The grammar: nova-lite-manage <what> <verb>."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="answer in JSON")
    top = argparse.ArgumentParser(BINARY, description=__doc__)
    top.add_argument("--json", action="store_true", help="answer in JSON; also after the verb")
    top.add_argument("--config-file", action="append", default=[], metavar="PATH", help="configuration file")
    top.add_argument("--config-dir", action="append", default=[], metavar="DIR", help="directory of *.conf files")
    top.add_argument("--debug", action="store_true", help="log what happens")
    whats = top.add_subparsers(dest="what", required=True, metavar="WHAT")

    def verb(verbs: Any, name: str, run: Callable[..., Result], text: str) -> argparse.ArgumentParser:
        found: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text, parents=[common])
        found.set_defaults(run=run)
        return found

    def what(name: str, text: str) -> Any:
        return whats.add_parser(name, help=text).add_subparsers(dest="verb", required=True, metavar="VERB")

    database = what("db", "the database")
    sync = verb(database, "sync", db_sync, "Bring the schema up to date; safe to repeat.")
    sync.add_argument("revision", nargs="?", default="head", help="revision to go to, by default the newest")
    sync.add_argument("--version", dest="revision", help="the same, as Nova's tool calls it")
    sync.add_argument("--local_cell", action="store_true", help="accepted, not used: there is one cell")
    verb(database, "version", db_version, "Say which schema the database has and which this code needs.")
    verb(what("service", "the daemons"), "list", service_list, "List all daemons that ever registered.")
    configuration = what("config", "the configuration")
    verb(configuration, "check", config_check, "Look for what will not work; exit code 1 when there is something.")
    verb(configuration, "generate", config_generate, "Print a sample of all options with their defaults.")
    cells = None
    for name, verbs in NOT_NEEDED.items():
        group = what(name, "accepted for scripts written for Nova")
        cells = group if name == "cell_v2" else cells
        for each, text in verbs.items():
            verb(group, each, _not_needed(text), text).add_argument("ignored", nargs="*", help="accepted, not used")
    verb(cells, "list_cells", list_cells, "List the one cell.").add_argument("--verbose", action="store_true")
    return top


def _not_needed(text: str) -> Callable[..., Result]:
    return lambda conf, args: ({"done": "nothing", "reason": text}, text)


def db_sync(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Result:
    from nova_lite.cmd import startup
    from nova_lite.db import migration

    startup.open_database(conf)
    revision = migration.sync(args.revision)
    return {"version": revision}, f"The database is at revision {revision}."


def db_version(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Result:
    from nova_lite.cmd import startup
    from nova_lite.db import migration

    startup.open_database(conf)
    current, head = migration.version(), migration.head()
    text = f"{current or 'none'}" + ("" if current == head else f"   (this code needs {head}: run db sync)")
    return {"version": current, "head": head}, text


def service_list(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Result:
    from nova_lite import liveness
    from nova_lite.cmd import startup
    from nova_lite.db.api import services

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
    return rows, _table(rows, ("binary", "host", "status", "state", "last_seen_at"))


def list_cells(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Result:
    cell = {"name": "cell1", "uuid": "00000000-0000-0000-0000-000000000001", "disabled": False}
    return [cell], _table([cell], ("name", "uuid", "disabled"))


def config_generate(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Result:
    import io

    from oslo_config import cfg as oslo_cfg
    from oslo_config import generator

    options = oslo_cfg.ConfigOpts()
    generator.register_cli_opts(options)
    options(["--namespace", "nova_lite", "--wrap-width", "100"])
    text = io.StringIO()
    generator.generate(options, text)
    return {"sample": text.getvalue()}, text.getvalue().rstrip()


def config_check(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Result:
    from nova_lite.cmd import config_check as checks

    problems = [str(problem) for problem in checks.problems(conf)]
    files = checks.files(conf)
    found = "\n".join(f"- {problem}" for problem in problems) or "No problem found."
    return {"files": files, "problems": problems}, f"Files: {', '.join(files) or 'none, all defaults'}\n{found}"


def _table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> str:
    cells = [[name.replace("_", " ").capitalize() for name in columns]]
    cells += [[str(row[name] if row[name] is not None else "-") for name in columns] for row in rows]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join(lines)
