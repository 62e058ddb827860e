"""The benchmarks run from end to end, on a cloud of their own, and leave nothing behind."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

pytestmark = pytest.mark.processes

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_short_run_of_everything_that_needs_a_cloud(tmp_path: pathlib.Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    document = tmp_path / "figures.json"
    parts = ["startup", "life", "api", "journal"]
    arguments = [*parts, "--runs", "1", "--count", "2", "--seconds", "1", "--servers", "10"]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "benchmarks", *arguments, "--limit", "100", "--json", str(document)],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    figures = {figure["name"]: figure for figure in json.loads(document.read_text())["figures"]}
    for name in (
        "start to first GET /servers s", "POST to ACTIVE s", "GET /servers, 10 req/s at 16", "idle stop s",
        "journal over none: POST to ACTIVE s",
    ):  # fmt: skip
        assert figures[name]["value"] > 0, name
    assert all(figure["detail"].get("errors", 0) == 0 for figure in figures.values())
    assert list(scratch.iterdir()) == []
