"""kvm or qemu: decided by what works, because /dev/kvm may exist where hardware virtualisation does not."""

from __future__ import annotations

import logging
import os
import re

LOG = logging.getLogger(__name__)

KVM = "kvm"
QEMU = "qemu"
_X86 = ("x86_64", "i686")
_NEEDED = frozenset({"vmx", "svm"})


def decide(configured: str, arch: str, kvm_opens: bool, cpu_flags: frozenset[str]) -> str:
    """KVM only where it is wanted, its device opens and, on x86, the processor has the instructions for it."""
    if configured == QEMU or not kvm_opens:
        return QEMU
    return KVM if arch not in _X86 or cpu_flags & _NEEDED else QEMU


def of_host(configured: str, arch: str, device: str = "/dev/kvm", cpuinfo: str = "/proc/cpuinfo") -> str:
    """The decision for this host, with a warning where it is not what was configured."""
    decided = decide(configured, arch, opens(device), flags_of(cpuinfo))
    if configured == KVM and decided != KVM:
        LOG.warning("[libvirt] virt_type is kvm but this host has no working hardware virtualisation: using qemu")
    return decided


def opens(device: str) -> bool:
    try:
        os.close(os.open(device, os.O_RDWR | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def flags_of(cpuinfo: str) -> frozenset[str]:
    """The first processor's flags."""
    try:
        with open(cpuinfo, encoding="utf-8") as source:
            found = re.search(r"^(?:flags|Features)\s*:(.*)$", source.read(), re.MULTILINE)
    except OSError:
        return frozenset()
    return frozenset(found.group(1).split()) if found else frozenset()
