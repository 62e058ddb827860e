"""nova-lite-manage: the operator's tool. Verbs that only a larger Nova needs succeed and say that nothing is to do."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nova_lite import concurrency

if TYPE_CHECKING:
    from oslo_config import cfg

BINARY = "nova-lite-manage"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did what was asked, 1 when not, 2 when it was not understood, or a verb's own code."""
    concurrency.patch(concurrency.THREADING)
    from nova_lite.cmd.manage import not_needed

    grammar = parser()
    args, rest = grammar.parse_known_args(sys.argv[1:] if argv is None else argv)
    if rest and args.what not in not_needed.VERBS:
        grammar.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return _run(args)
    except BrokenPipeError:
        # Who reads had enough (| head). What is still buffered must not complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(args: argparse.Namespace) -> int:
    from nova_lite import exception

    try:
        conf = _configure(args)
        _expect_schema(conf, args.what)
        answer = args.run(conf, args)
    except BrokenPipeError:
        raise
    except (exception.NovaLiteError, OSError) as error:
        print(json.dumps({"error": str(error)}) if args.json else f"{BINARY}: {error}", file=sys.stderr)
        return 1
    print(json.dumps(answer.facts, indent=2) if args.json else answer.text, flush=True)
    return int(answer.code)


def _expect_schema(conf: cfg.ConfigOpts, what: str) -> None:
    """Whatever asks the database is for the schema of this code, as the daemons are.

    :raises ConfigInvalid: the database is empty, older or newer; what to do.
    :raises DatabaseUnavailable: there is no database to talk to.
    """
    from nova_lite.cmd import startup
    from nova_lite.cmd.manage import not_needed
    from nova_lite.db import migration, session

    if what in ("db", "config", *not_needed.VERBS):
        return
    if session.is_absent(conf):
        raise migration.too_old(None)
    startup.open_database(conf)
    migration.check()


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


def parser() -> argparse.ArgumentParser:
    """The grammar: nova-lite-manage <what> <verb>; one module a noun."""
    from nova_lite.cmd.manage import audit, configuration, database, not_needed, operations, quarantine, services

    top = argparse.ArgumentParser(BINARY, description=__doc__)
    top.add_argument("--json", action="store_true", help="answer in JSON; also after the verb")
    top.add_argument("--config-file", action="append", default=[], metavar="PATH", help="configuration file")
    top.add_argument("--config-dir", action="append", default=[], metavar="DIR", help="directory of *.conf files")
    top.add_argument("--debug", action="store_true", help="log what happens")
    whats = top.add_subparsers(dest="what", required=True, metavar="WHAT")
    for noun in (database, services, operations, audit, quarantine, configuration, not_needed):
        noun.add(whats)
    return top
