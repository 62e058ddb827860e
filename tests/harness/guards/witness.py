"""A pytest plugin that says which tests failed and why, and whose ``nova_lite`` they ran.

It is loaded by the runner alone (``-p tests.harness.guards.witness``) and writes the file that WITNESS names.
"""

from __future__ import annotations

import json
import os
import pathlib
import sys
from collections.abc import Generator
from typing import Any

import pytest

_failed: list[dict[str, Any]] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        kind = call.excinfo.typename if call.excinfo is not None else ""
        words = str(call.excinfo.value).strip().splitlines() if call.excinfo is not None else []
        _failed.append({
            "test": item.nodeid, "when": report.when, "kind": kind, "words": words[0][:200] if words else "",
            "seconds": round(report.duration, 2),
        })  # fmt: skip
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    package = sys.modules.get("nova_lite")
    found = {
        "failed": _failed,
        "ran": session.testscollected,
        "package": str(pathlib.Path(str(package.__file__)).parent) if package is not None else "",
    }
    pathlib.Path(os.environ["WITNESS"]).write_text(json.dumps(found), encoding="utf-8")
