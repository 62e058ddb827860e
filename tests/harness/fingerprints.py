"""Fingerprints of the travelling objects: what their fields and types are at their version.

    python -m tests.harness.fingerprints        writes tests/contracts/object_fingerprints.json

It refuses to write where fields changed and the version did not: neighbours of the old code could not tell them apart.
"""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
import sys

import nova_lite.objects  # noqa: F401  (registers the classes)
from nova_lite.objects import base
from tests.harness import kept

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


def complaints(was: dict[str, dict[str, str]], now: dict[str, dict[str, str]]) -> list[str]:
    """Objects whose fields changed under the same version."""
    return [
        f"{name}: fields changed, VERSION is still {now[name]['version']}"
        for name in was.keys() & now.keys()
        if was[name] != now[name] and was[name]["version"] == now[name]["version"]
    ]


if __name__ == "__main__":
    sys.exit(kept.refresh(FILE, current, complaints))
