"""nova-lite-conductor: writes for the hosts, runs operations whose turn is the conductor's, and sweeps."""

from __future__ import annotations

from collections.abc import Sequence

from nova_lite import concurrency

BINARY = "nova-lite-conductor"


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
        service = Service(BINARY, TOPIC, ConductorManager(conf.host, conf), conf.host)
        return startup.serve(BINARY, [[startup.database_gate(conf)], [service]], conf)

    return startup.explained(BINARY, run)
