"""Serves the embedded services as a process of its own: ``embedded_server.py --config-file FILE``.

Says READY when all sockets listen; ends on TERM. Tests kill it when they please.
"""

from __future__ import annotations

import sys

from nova_lite import concurrency

concurrency.patch()

import signal  # noqa: E402
from pathlib import Path  # noqa: E402

from oslo_config import cfg  # noqa: E402
from paste import deploy  # noqa: E402

from nova_lite import config, listening, wsgi  # noqa: E402
from nova_lite.embedded import profile  # noqa: E402

PASTE = Path(__file__).resolve().parents[2] / "etc" / "embedded-paste.ini"


def main() -> None:
    conf = config.parse_args(sys.argv[1:], "embedded-server")
    assert conf is cfg.CONF
    profile.prepare(conf)
    ended = concurrency.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    servers = []
    for name in ("identity", "image", "network", "volume"):
        app = deploy.loadapp(f"config:{PASTE}", name=name)
        sock = listening.bind(conf.embedded.listen, conf.embedded[f"{name}_port"])
        servers.append(wsgi.make_server(name, app, sock, wsgi.Limits.of(conf)))
        servers[-1].start()
    print("READY", concurrency.backend(), flush=True)
    while not ended.wait(0.2):
        pass
    stopping = [concurrency.spawn(server.stop, 5.0) for server in servers]
    for each in stopping:
        each.wait(10)


if __name__ == "__main__":
    main()
