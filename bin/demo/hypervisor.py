"""Which hypervisor this machine and this user have, and a libvirtd of the demo's own for it."""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import stat
import subprocess
import sys

from demo.place import BIN, STATE, TOP
from lab import hypervisor, process

PROGRAMS = ("libvirtd", "virsh", "qemu-system-x86_64", "qemu-img")


def why_not() -> str:
    """Why there can be no real guest here; empty where there can."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [program for program in PROGRAMS if not shutil.which(program, path=path)]
    if missing:
        return f"{', '.join(missing)} not installed, and no root or sudo to install it"
    if subprocess.run([str(BIN / "python"), "-c", "import libvirt"], capture_output=True).returncode:
        return "Python has no libvirt binding here, and no root or sudo to install it"
    return ""


def _short_directory() -> pathlib.Path:
    """A directory of this user and checkout with a short name: libvirt puts sockets of guests 60 characters below it.

    :raises LabError: somebody else made it first.
    """
    mark = hashlib.sha256(str(STATE).encode()).hexdigest()[:8]
    base = pathlib.Path(f"/var/tmp/nova-lite-{os.getuid()}-{mark}")
    base.mkdir(mode=0o700, exist_ok=True)
    found = base.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise process.LabError(f"{base} is not a private directory of this user")
    return base


def _session() -> process.Process:
    """An ordinary user's libvirtd, apart from the one that the desktop may have."""
    base = _short_directory()
    env = {name: str(base / leaf) for name, leaf in (
        ("XDG_RUNTIME_DIR", "run"), ("XDG_CONFIG_HOME", "config"), ("XDG_CACHE_HOME", "cache"),
        ("XDG_DATA_HOME", "data"),
    )}  # fmt: skip
    program = shutil.which("libvirtd", path="/usr/sbin:/usr/bin:/sbin") or "libvirtd"
    # Where pid 1 reaps nobody, libvirtd waits 40 s for each QEMU that it asked what it can do.
    argv = [sys.executable, str(TOP / "bin" / "nova-lite-subreaper"), program]
    return process.Process("libvirtd", STATE / "libvirtd", argv, env)


def start() -> str:
    """Start it; returns the connection URI."""
    if os.getuid() == 0:
        return hypervisor.start(STATE / "libvirtd")
    server = _session()
    for directory in server.env.values():
        pathlib.Path(directory).mkdir(mode=0o700, parents=True, exist_ok=True)
    socket = pathlib.Path(server.env["XDG_RUNTIME_DIR"]) / "libvirt" / "libvirt-sock"
    if not server.alive():
        socket.unlink(missing_ok=True)
    server.start()
    uri = f"qemu:///session?socket={socket}"
    virsh = ["virsh", "-q", "-c", uri, "version"]
    server.wait(lambda: socket.exists() and subprocess.run(virsh, capture_output=True).returncode == 0, 60)
    return uri


def stop() -> bool:
    """End it and its guests; True if something ran."""
    if os.getuid() == 0:
        return hypervisor.stop(STATE / "libvirtd")
    server = _session()
    if not server.alive():
        return False
    virsh = ["virsh", "-q", "-c", f"qemu:///session?socket={server.env['XDG_RUNTIME_DIR']}/libvirt/libvirt-sock"]
    listed = subprocess.run([*virsh, "list", "--uuid"], capture_output=True, text=True, timeout=60)
    for uuid in listed.stdout.split():
        subprocess.run([*virsh, "destroy", uuid], capture_output=True, timeout=60)
    return server.stop()
