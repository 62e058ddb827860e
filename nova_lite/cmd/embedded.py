"""nova-lite-embedded: embedded services by themselves, behind any Keystone: a network or volume service for a lab."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from nova_lite import concurrency

if TYPE_CHECKING:
    from oslo_config import cfg

    from nova_lite.service import WSGIService

BINARY = "nova-lite-embedded"
PASTE = "embedded-paste.ini"
# The services that check tokens of others; the identity service is part of nova-lite-all-in-one only.
SERVICES = ("image", "network", "volume")


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the named services until told to end; the exit code."""
    concurrency.patch()
    flags, rest = parser().parse_known_args(sys.argv[1:] if argv is None else argv)
    from nova_lite.cmd import startup

    conf = startup.begin(BINARY, rest)

    def run() -> int:
        from nova_lite.embedded import listen

        listen.check_listen(conf.embedded.listen, conf)
        return startup.serve(BINARY, [stand_ins(conf, flags.services)], conf)

    return startup.explained(BINARY, run)


def parser() -> argparse.ArgumentParser:
    """The arguments beside oslo.config's own (--config-file, --debug, --log-file ...)."""
    text = "Tokens are checked with the identity service of [service_auth]; ports and files are those of [embedded]."
    found = argparse.ArgumentParser(BINARY, description=__doc__, epilog=text, allow_abbrev=False)
    found.add_argument(
        "--service", action="append", required=True, choices=SERVICES, dest="services", metavar="NAME",
        help=f"serve this one: {', '.join(SERVICES)}; may be repeated",
    )  # fmt: skip
    return found


def stand_ins(conf: cfg.ConfigOpts, names: Iterable[str]) -> list[WSGIService]:
    """These services on their ports of [embedded].

    :raises ConfigInvalid: an application cannot be made, or a port is taken.
    """
    from nova_lite.api import deploy
    from nova_lite.service import WSGIService

    def service(name: str) -> WSGIService:
        app = deploy.load_app(name, PASTE, conf)
        return WSGIService(name, lambda: app, conf, (conf.embedded.listen, conf.embedded[f"{name}_port"]))

    return [service(name) for name in names]
