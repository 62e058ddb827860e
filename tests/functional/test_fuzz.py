"""Half a minute of schema fuzzing; ``make fuzz MINUTES=10`` does it for longer."""

from __future__ import annotations

import pathlib
import random

import pytest

from tests.harness import fuzz

pytestmark = pytest.mark.answers

SECONDS = 30


@pytest.mark.timeout(180)
def test_no_5xx_no_undocumented_status_no_hang(tmp_path: pathlib.Path) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    report = fuzz.fuzz(tmp_path, SECONDS, seed)
    print(report)
    assert report.requests > 100 and len(report.operations) > 20
    assert not report.findings, str(report)
