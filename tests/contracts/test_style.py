"""ruff over the whole tree, mypy strict over the pure rooms."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PURE = (
    "nova_lite/objects",
    "nova_lite/exception.py",
    "nova_lite/clock.py",
    "nova_lite/compute/actions.py",
    "nova_lite/compute/statuses.py",
    "nova_lite/compute/vm_states.py",
    "nova_lite/compute/task_states.py",
    "nova_lite/compute/power_states.py",
    "nova_lite/scheduler/filters",
    "nova_lite/scheduler/weighers",
    "nova_lite/scheduler/selection.py",
    "nova_lite/scheduler/host_state.py",
    "nova_lite/scheduler/explain.py",
    "nova_lite/api/openstack/compute/views",
    "nova_lite/virt/libvirt/xml",
    "nova_lite/virt/libvirt/build",
    "tests/harness/contract",
)


def _run(*command: str) -> str:
    """What the tool complained about; empty when it found nothing."""
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_ruff() -> None:
    assert _run("ruff", "check", "--no-cache", "--output-format=concise", ".") == ""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_pure_rooms_are_typed() -> None:
    """Config is setup.cfg's [mypy]; what the pure rooms import is read, but judged in ``make types``."""
    assert all((ROOT / path).exists() for path in PURE)
    assert _run("mypy", "--follow-imports=silent", "--explicit-package-bases", *PURE) == ""
