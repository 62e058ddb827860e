"""Every test carries the marker of the folder it lies in."""

from __future__ import annotations

import pathlib

import pytest

TESTS = pathlib.Path(__file__).resolve().parent
TIERS = ("unit", "contracts", "functional", "faults", "integration")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """tests/<tier>/... gets the marker <tier>."""
    for item in items:
        tier = item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""
        if tier in TIERS:
            item.add_marker(tier)
