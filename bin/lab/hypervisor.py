"""A libvirtd of the lab's own for each compute host that drives libvirt."""

from __future__ import annotations

import os
import pathlib
import subprocess

from lab import process
from lab.layout import TOP

PROGRAM = TOP / "bin" / "nova-lite-libvirtd"


def _call(verb: str, directory: pathlib.Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(PROGRAM), verb, str(directory)], capture_output=True, text=True, timeout=120)


def start(directory: pathlib.Path) -> str:
    """Start it where it does not run; returns the connection URI. An ordinary user has qemu:///session without it."""
    if os.getuid() != 0:
        return "qemu:///session"
    done = _call("start", directory)
    if done.returncode:
        raise process.LabError(f"libvirtd: {done.stderr}")
    return done.stdout.split()[-1]


def stop(directory: pathlib.Path) -> bool:
    """End it and every guest it still runs; True if something ran."""
    if os.getuid() != 0 or not running(directory):
        return False
    done = _call("stop", directory)
    if done.returncode:
        raise process.LabError(f"libvirtd: {done.stderr}")
    return True


def running(directory: pathlib.Path) -> bool:
    return (directory / "keeper.pid").exists()


def uri(directory: pathlib.Path) -> str:
    return _call("uri", directory).stdout.strip() if os.getuid() == 0 else "qemu:///session"


def domains(uri_: str) -> dict[str, str]:
    """uuid -> state of every domain, as `virsh` tells."""
    virsh = ["virsh", "-q", "-c", uri_]
    listed = subprocess.run([*virsh, "list", "--all", "--uuid"], capture_output=True, text=True, timeout=60, check=True)
    found = {}
    for uuid in listed.stdout.split():
        state = subprocess.run([*virsh, "domstate", uuid], capture_output=True, text=True, timeout=60)
        if state.returncode == 0:  # else it went between the two questions
            found[uuid] = state.stdout.strip()
    return found
