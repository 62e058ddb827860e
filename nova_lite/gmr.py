"""Guru Meditation Report: on SIGUSR2 a daemon writes down its threads, its configuration and what it is doing."""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Callable
from typing import Any

from oslo_config import cfg
from oslo_log import log as logging

from nova_lite import __version__, clock
from nova_lite.log import mask

LOG = logging.getLogger(__name__)

_sections: list[tuple[str, Callable[[], str]]] = []


class _Version:
    """What the report's package section asks for."""

    def vendor_string(self) -> str:
        return "nova-lite"

    def product_string(self) -> str:
        return "nova-lite"

    def version_string_with_package(self) -> str:
        return __version__


def register_section(title: str, text: Callable[[], str]) -> None:
    """Add a section; the function is called when a report is written."""
    _sections.append((title, text))


def report() -> str:
    """The report as text, without secrets."""
    # The library is large and most processes never need it.
    from oslo_reports.guru_meditation_report import TextGuruMeditation

    text = TextGuruMeditation(_Version(), None).run()
    parts = [text]
    for title, section in _sections:
        try:
            content = section()
        except Exception as error:  # one broken section must not cost the others
            content = f"not available: {error}"
        parts.append(f"{'=' * 72}\n{title:^72}\n{'=' * 72}\n{content}")
    return mask("\n".join(parts))


def write(conf: cfg.ConfigOpts, binary: str) -> None:
    """Write the report to [oslo_reports] log_dir, or to standard error."""
    try:
        text = report()
        directory = _directory(conf)
        if directory:
            name = f"{binary}_gurumeditation_{clock.utcnow():%Y%m%d%H%M%S}"
            path = os.path.join(directory, name)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
                out.write(text)
            LOG.info("guru meditation report written to %s", path)
        else:
            print(text, file=sys.stderr, flush=True)
    except Exception:
        LOG.exception("no guru meditation report")


def _directory(conf: cfg.ConfigOpts) -> str | None:
    from oslo_reports import opts

    opts.set_defaults(conf)
    directory: str | None = conf.oslo_reports.log_dir
    return directory


def uptime_section(started_at: datetime.datetime, details: Callable[[], dict[str, Any]]) -> Callable[[], str]:
    """A section that lists facts, one a line, after how long the process runs."""

    def text() -> str:
        lines = [f"running since {started_at:%Y-%m-%dT%H:%M:%SZ}"]
        lines += [f"{name}: {value}" for name, value in details().items()]
        return "\n".join(lines)

    return text
