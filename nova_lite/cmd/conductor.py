"""nova-lite-conductor: writes for the hosts, runs operations whose turn is the conductor's, and sweeps."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nova_lite import concurrency

if TYPE_CHECKING:
    from oslo_config import cfg

BINARY = "nova-lite-conductor"


def memory(conf: cfg.ConfigOpts) -> pathlib.Path:
    """Where a conductor of this machine remembers which database is its own."""
    return pathlib.Path(conf.state_path, "conductor", conf.host)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the daemon until it is told to end; the exit code."""
    concurrency.patch()
    from nova_lite.cmd import startup

    conf = startup.begin(BINARY, argv)

    def run() -> int:
        from nova_lite import rpc
        from nova_lite.conductor.manager import ConductorManager
        from nova_lite.conductor.rpcapi import TOPIC
        from nova_lite.service import Service

        startup.open_database(conf)
        rpc.init(conf)
        manager = ConductorManager(conf.host, conf, memory=memory(conf))
        service = Service(BINARY, TOPIC, manager, conf.host)
        return startup.serve(BINARY, [[startup.database_gate(conf)], [service]], conf)

    return startup.explained(BINARY, run)
