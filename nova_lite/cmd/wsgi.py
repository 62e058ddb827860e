"""The compute API for somebody else's WSGI server: ``nova_lite.cmd.wsgi:application`` for uwsgi, gunicorn, granian.

Native threads always. The configuration comes from the default files or from the one named by NOVA_LITE_CONFIG_FILE;
the arguments belong to the server and are not read. Connections are made by the process that serves, after any fork.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

from nova_lite import concurrency

BINARY = "nova-lite-api"
NAME = "osapi_compute"

_lock = threading.Lock()
_app: Callable[..., Iterable[bytes]] | None = None
_pid: int | None = None


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Serve one request.

    :raises ConfigInvalid: the configuration cannot work; with the first request.
    """
    app = _app if _pid == os.getpid() else _prepare()
    assert app is not None
    return app(environ, start_response)


def _prepare() -> Callable[..., Iterable[bytes]]:
    """Read the configuration once, and open what this process holds."""
    global _app, _pid
    with _lock:
        concurrency.patch(concurrency.THREADING)
        from nova_lite import policy, rpc
        from nova_lite.api import deploy
        from nova_lite.cmd import startup
        from nova_lite.conf import CONF
        from nova_lite.identity import authtoken

        if _app is None:
            path = os.environ.get("NOVA_LITE_CONFIG_FILE")
            conf = startup.begin(BINARY, ["--config-file", path] if path else [])
            authtoken.check(conf)
            policy.init(conf)
            startup.open_database(conf)
            _app = deploy.load_app(NAME, conf=conf)
            startup.settle()
        if _pid != os.getpid():
            rpc.init(CONF)
            _pid = os.getpid()
        return _app
