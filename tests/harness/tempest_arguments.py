"""Why some tests of stock tempest fail here as they do on real Nova."""

from __future__ import annotations

import re

# Failures that real Nova shares: a pattern of "Class.test: reason", and the reason of the reason.
ARGUED = {
    r"HypervisorAdminTestJSON\.test_get_hypervisor_uptime: .*(valid uptime|'uptime': None)":
        "the fake driver tells no uptime (contract states.md, corrections); Nova with its fake driver fails it, too",
    r"ServerActionsTestOtherB\.test_get_console_output_with_unlimited_size: .*lines: 3":
        "the fake driver's console has three lines, as that of Nova's fake driver has",
    r"NoVNCConsoleTestJSON\.": "no console proxy runs beside the cloud; real Nova failed both as well",
    r"HypervisorAdmin\w+\.test_\w+: .*(vcpus_used|resource could not be found)":
        "from 2.88 hypervisors have other keys and no statistics, and tempest 47 has no schema of that: it refuses "
        "Nova's own answers",
    r"KeyPairsV22TestJSON\.\w+: .*'public_key' is a required property":
        "from 2.92 a keypair needs its public key, which the test does not send: Nova refuses it, too",
}


def argument(name: str, test: str, reason: str) -> str | None:
    """Why this failure is not one of ours; None where nothing is known."""
    text = f"{name.rpartition('.')[2]}.{test}: {' '.join(reason.split())}"
    return next((why for pattern, why in ARGUED.items() if re.search(pattern, text)), None)
