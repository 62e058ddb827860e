"""Every test carries the marker of the folder it lies in; the environment chooses the concurrency backend."""

from __future__ import annotations

import os
import pathlib

import pytest

from nova_lite import concurrency

if os.environ.get("NOVA_LITE_CONCURRENCY_BACKEND") == "eventlet":
    concurrency.patch()

TESTS = pathlib.Path(__file__).resolve().parent
TIERS = ("unit", "contracts", "functional", "faults", "integration")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """tests/<tier>/... gets the marker <tier>."""
    for item in items:
        tier = item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""
        if tier in TIERS:
            item.add_marker(tier)
