"""ruff over the whole tree, mypy strict over the whole package."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
def _run(*command: str) -> str:
    """What the tool complained about; empty when it found nothing."""
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_ruff() -> None:
    assert _run("ruff", "check", "--no-cache", "--output-format=concise", ".") == ""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_package_is_typed() -> None:
    """mypy strict over the whole package and the contract's harness; its settings are setup.cfg's [mypy]."""
    assert _run("mypy", "--explicit-package-bases", "nova_lite", "tests/harness/contract") == ""
