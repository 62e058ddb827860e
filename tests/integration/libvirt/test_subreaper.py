"""bin/nova-lite-subreaper: passes the exit code on, starts again what died, and leaves nothing behind."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

from tests.harness.hypervisor import LIBVIRTD, wait_for

SUBREAPER = LIBVIRTD.with_name("nova-lite-subreaper")


def start(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, SUBREAPER, *arguments], stderr=subprocess.DEVNULL)


def is_running(pid: int) -> bool:
    try:
        return ") Z " not in pathlib.Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", 137)])
def test_exit_code(script: str, code: int) -> None:
    assert start("sh", "-c", script).wait(10) == code


def test_what_died_is_started_again(tmp_path: pathlib.Path) -> None:
    lives = tmp_path / "lives"
    keeper = start("--respawn", "sh", "-c", f"echo >> {lives}; kill -9 $$")
    try:
        wait_for(lambda: lives.exists() and lives.read_text().count("\n") >= 3, "a third life", 10)
    finally:
        keeper.terminate()
    assert keeper.wait(10) == 0


def test_nothing_outlives_it(tmp_path: pathlib.Path) -> None:
    """Neither the command nor what it had put into the background, as libvirtd does with QEMU."""
    pids = tmp_path / "pids"
    script = (
        f"(setsid sh -c 'trap : TERM; echo $$ >> {pids}; while :; do sleep 1; done' &); echo $$ >> {pids}; sleep 60"
    )
    keeper = start("--respawn", "sh", "-c", script)
    wait_for(lambda: pids.exists() and pids.read_text().count("\n") == 2, "both to begin", 10)
    keeper.terminate()
    assert keeper.wait(30) == 0
    assert [pid for pid in map(int, pids.read_text().split()) if is_running(pid)] == []


def test_who_is_stopped_while_it_starts_its_command_ends_that_too() -> None:
    for _ in range(20):
        assert start("--respawn", "sh", "-c", "kill -TERM $PPID; exec sleep 60").wait(10) == 0
