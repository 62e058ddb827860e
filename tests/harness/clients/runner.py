"""Runs a stock command line client many times in one process: a line of JSON arguments in, a line of JSON result out.

    python tests/harness/clients/runner.py openstack|nova

The client is the one that was installed, called by the function its own console script calls; what it would print is
caught. Starting Python and importing a client's plug-ins takes longer than most commands.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
from collections.abc import Callable

MAINS = {"openstack": "openstackclient.shell", "nova": "novaclient.shell"}


def main() -> int:
    run: Callable[..., object] = importlib.import_module(MAINS[sys.argv[1]]).main
    answers, questions = sys.stdout, sys.stdin
    sys.stdin = io.StringIO()  # a command that asks its user gets no answer instead of our next question
    for line in questions:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = _call(run, json.loads(line))
        print(json.dumps({"code": code, "out": out.getvalue(), "err": err.getvalue()}), file=answers, flush=True)
    return 0


def _call(run: Callable[..., object], arguments: list[str]) -> int:
    sys.argv[1:] = arguments
    try:
        code = run(arguments)
    except SystemExit as end:
        code = end.code
    if code is None:
        return 0
    return code if isinstance(code, int) else 1


if __name__ == "__main__":
    sys.exit(main())
