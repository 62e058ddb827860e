"""Reads a subunit stream from standard input and says each test as a line of JSON: id, status, reason.

Runs under tempest's own interpreter (subunit is not a library of ours), hence alone and without imports of ours.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import subunit
import testtools


def _reason(test: dict[str, Any]) -> str:
    """Why it was skipped, or the last lines of the traceback of what failed."""
    details = {name: content.as_text() for name, content in test["details"].items()
               if name.startswith(("reason", "traceback"))}  # fmt: skip
    if "reason" in details:
        return details["reason"].strip()
    return "\n".join(text.strip() for text in details.values())[-1500:]


def _tell(test: dict[str, Any]) -> None:
    if test["status"] == "exists":
        return
    row = {"id": test["id"], "status": test["status"], "reason": _reason(test)}
    sys.stdout.write(json.dumps(row) + "\n")


def main() -> None:
    result = testtools.StreamToDict(_tell)
    result.startTestRun()
    subunit.ByteStreamToStreamResult(sys.stdin.buffer, non_subunit_name="stdout").run(result)
    result.stopTestRun()


if __name__ == "__main__":
    main()
