"""Fingerprints of the travelling objects: what their fields and types are at their version.

    python -m tests.harness.fingerprints        writes tests/contracts/object_fingerprints.json

It refuses to write where fields changed and the version did not: neighbours of the old code could not tell them apart.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import pathlib
import sys

import nova_lite.objects  # noqa: F401  (registers the classes)
from nova_lite.objects import base

FILE = pathlib.Path(__file__).resolve().parents[1] / "contracts" / "object_fingerprints.json"


def fingerprint(cls: type[base.TravellingObject]) -> str:
    """A short hash of field names, types and defaults' presence, in any order of declaration."""
    lines = []
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        lines.append(f"{field.name}: {field.type}{' (required)' if required else ''}")
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]


def current() -> dict[str, dict[str, str]]:
    return {
        name: {"version": cls.VERSION, "fingerprint": fingerprint(cls)}
        for name, cls in sorted(base.registry().items()) if cls.__module__.startswith("nova_lite.")
    }  # fmt: skip


def complaints(kept: dict[str, dict[str, str]], now: dict[str, dict[str, str]]) -> list[str]:
    """Objects whose fields changed under the same version."""
    return [
        f"{name}: fields changed, VERSION is still {now[name]['version']}"
        for name in kept.keys() & now.keys()
        if kept[name] != now[name] and kept[name]["version"] == now[name]["version"]
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="fingerprints", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--unreleased", action="store_true", help="write although a version was not raised")
    options = parser.parse_args()
    kept = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    wrong = complaints(kept, current())
    if wrong and not options.unreleased:
        print("\n".join(wrong), file=sys.stderr)
        return 1
    FILE.write_text(json.dumps(current(), indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
