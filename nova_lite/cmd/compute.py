"""nova-lite-compute: runs the guests of one host. It holds no database credentials."""

from __future__ import annotations

from collections.abc import Sequence

from nova_lite import concurrency

BINARY = "nova-lite-compute"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the daemon until it is told to end; the exit code."""
    concurrency.patch()
    from nova_lite.cmd import startup

    conf = startup.begin(BINARY, argv)

    def run() -> int:
        from nova_lite import rpc
        from nova_lite.compute.manager import ComputeManager
        from nova_lite.compute.rpcapi import TOPIC
        from nova_lite.service import Service

        rpc.init(conf)
        service = Service(BINARY, TOPIC, ComputeManager(conf.host, conf), conf.host)
        return startup.serve(BINARY, [[service]], conf)

    return startup.explained(BINARY, run)
