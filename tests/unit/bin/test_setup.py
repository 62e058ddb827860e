"""bin/nova-lite-setup: environments whose making was interrupted."""

from __future__ import annotations

import os
import pathlib
import subprocess

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parents[3] / "bin" / "nova-lite-setup"


def _program(path: pathlib.Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("python", "made"),
    [("exit 0", ""), ("exit 1", "-m venv --clear {}\n"), (None, "-m venv --clear {}\n")],
    ids=["whole", "without pip", "absent"],
)
def test_an_environment_without_pip_is_made_again(tmp_path: pathlib.Path, python: str | None, made: str) -> None:
    directory = tmp_path / "venv"
    if python is not None:
        _program(directory / "bin" / "python", python)
    _program(tmp_path / "bin" / "python3", f'echo "$@" >>{tmp_path}/made')
    (tmp_path / "made").touch()
    function = f"source <(sed -n '/^environment()/,/^}}/p' {SCRIPT}); environment {directory}"
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    subprocess.run(["bash", "-euc", function], check=True, env={**os.environ, "PATH": path})
    assert (tmp_path / "made").read_text() == made.format(directory)
