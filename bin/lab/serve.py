"""Serve Keystone's or Glance's WSGI application: `python -P serve.py MODULE PORT`, in the neighbours' environment."""

from __future__ import annotations

import importlib
import sys

import waitress


def main() -> None:
    module, port = sys.argv[1], int(sys.argv[2])
    del sys.argv[1:]  # keystone.wsgi.api parses the command line that it finds
    application = importlib.import_module(module).application
    # Two writers of one SQLite that both began by reading lock each other out at once: one request at a time.
    waitress.serve(application, host="127.0.0.1", port=port, threads=1, ident=None, channel_timeout=120)


main()
