"""nova-lite-scheduler: chooses hosts and claims their resources."""

from __future__ import annotations

from collections.abc import Sequence

from nova_lite import concurrency

BINARY = "nova-lite-scheduler"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the daemon until it is told to end; the exit code."""
    concurrency.patch()
    from nova_lite.cmd import startup

    conf = startup.begin(BINARY, argv)

    def run() -> int:
        from nova_lite import rpc
        from nova_lite.scheduler.manager import SchedulerManager
        from nova_lite.scheduler.rpcapi import TOPIC
        from nova_lite.service import Service

        startup.open_database(conf)
        rpc.init(conf)
        service = Service(BINARY, TOPIC, SchedulerManager(conf.host, conf), conf.host)
        return startup.serve(BINARY, [[startup.database_gate(conf)], [service]], conf)

    return startup.explained(BINARY, run)
