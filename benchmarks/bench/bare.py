"""The bare WSGI server of the floors: two kilobytes of JSON on the port of the first argument."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import eventlet
import eventlet.wsgi

BODY = b'{"servers": [' + b", ".join([b'{"id": "%032d", "name": "server", "links": []}' % n for n in range(30)]) + b"]}"


def app(environ: dict[str, object], start_response: Callable[..., object]) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))])
    return [BODY]


if __name__ == "__main__":
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        eventlet.wsgi.server(eventlet.listen(("127.0.0.1", int(sys.argv[1]))), app, log=nowhere, log_output=False)
