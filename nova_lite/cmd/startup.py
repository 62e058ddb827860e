"""What the daemons' main() share: reading the configuration, starting the log, opening and closing what they hold.

Nothing here may be imported before ``concurrency.patch()`` was called.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from typing import Any

from oslo_config import cfg
from oslo_log import log as logging

from nova_lite import __version__, concurrency, config, exception, log, rpc
from nova_lite.conf import CONF
from nova_lite.launcher import Launcher, Runnable, leave_at_once
from nova_lite.service import Gate

LOG = logging.getLogger(__name__)


def begin(
    binary: str, argv: Sequence[str] | None = None, override: Callable[[cfg.ConfigOpts], None] = lambda conf: None
) -> cfg.ConfigOpts:
    """Arguments, options, logging.

    :param override: sets what a flag of the binary's own says.
    :raises SystemExit: the arguments or a file are wrong, options exclude each other, or the log cannot be written.
    """
    conf = config.parse_args(list(sys.argv[1:] if argv is None else argv), binary)
    override(conf)
    try:
        log.setup(conf, binary)
    except OSError as error:
        raise SystemExit(f"{binary}: the log cannot be written: {error}") from error
    conf.set_override("concurrency_backend", concurrency.backend())  # the environment may have decided
    LOG.info("%s %s starts on host %s, concurrency backend %s", binary, __version__, conf.host, concurrency.backend())
    config.warn_unknown(conf)
    _refuse_misfits(binary, conf)
    return conf


def _refuse_misfits(binary: str, conf: cfg.ConfigOpts) -> None:
    """:raises SystemExit: options exclude each other; what only goes badly together is a warning."""
    found = list(config.misfits(conf))
    for misfit in found:
        LOG.log(logging.CRITICAL if misfit.is_fatal else logging.WARNING, "%s", misfit)
    if any(misfit.is_fatal for misfit in found):
        raise SystemExit("\n".join(f"{binary}: {misfit}" for misfit in found if misfit.is_fatal))


def explained(binary: str, work: Callable[[], int]) -> int:
    """Run a main(); what the operator can mend ends in one sentence and exit code 1, not in a traceback."""
    try:
        return work()
    except (exception.ConfigInvalid, exception.DatabaseUnavailable) as error:
        text = str(error)
        if isinstance(error, exception.DatabaseUnavailable) and error.__cause__ is not None:
            text = f"{text} {str(error.__cause__).splitlines()[0]}"
        LOG.critical("%s cannot start: %s", binary, text)
        print(f"{binary}: {text}", file=sys.stderr)
        return 1


def database_gate(conf: cfg.ConfigOpts = CONF, limit_s: float | None = None) -> Gate:
    """Opens when the database answers, its schema fits this code, and no living daemon is too old or too new for it.

    What does not fit ends the process.
    """
    from nova_lite import upgrades
    from nova_lite.db import migration

    def fits() -> None:
        migration.check()
        upgrades.check(conf.operations.service_down_s)

    rpc.pin_versions(upgrades.Pins(conf))
    return Gate("database", fits, limit_s)


def open_database(conf: cfg.ConfigOpts) -> None:
    """Choose the database; nothing is sent to it yet.

    :raises ConfigInvalid: URL or driver cannot work.
    """
    from nova_lite.db import session

    session.configure(conf)


def serve(
    binary: str,
    groups: Sequence[Sequence[Runnable]],
    conf: cfg.ConfigOpts = CONF,
    on_ready: Callable[[], Any] = lambda: None,
    **options: Any,
) -> int:
    """Run services in this process until it is told to end, and end it: nothing that matters is left to take apart."""

    def ready() -> None:
        on_ready()
        settle()

    code = Launcher(binary, groups, conf, close=close, on_ready=ready, **options).run()
    leave_at_once(code)
    return code


def settle() -> None:
    """Let the collector leave alone what exists now: it stays as long as the process does.

    Half a million objects of modules and options were looked through in the middle of each long list, which took as
    long as the list itself.
    """
    gc.collect()
    gc.freeze()


def close() -> None:
    """Give back the transport and the database."""
    rpc.cleanup()
    database = sys.modules.get("nova_lite.db.session")
    if database is not None:
        database.dispose()
