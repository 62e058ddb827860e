"""One lab for all integration tests; each module brings up the fleet it needs."""

from __future__ import annotations

import os
import pathlib
import subprocess
from collections.abc import Iterator

import pytest

from lab import layout
from tests.harness.laboratory import Laboratory

CANNOT_INSTALL = 3


@pytest.fixture(scope="session")
def laboratory() -> Iterator[Laboratory]:
    """Installed on demand; taken down at the end unless NOVA_LITE_LAB_KEEP is set."""
    setup = subprocess.run(
        [str(layout.TOP / "bin" / "nova-lite-setup"), "run", "lab"], capture_output=True, text=True, timeout=900
    )
    if setup.returncode == CANNOT_INSTALL:
        pytest.skip(f"the lab cannot be installed here: {setup.stderr.strip()}")
    assert setup.returncode == 0, setup.stdout + setup.stderr
    laboratory = Laboratory()
    yield laboratory
    if not os.environ.get("NOVA_LITE_LAB_KEEP"):
        laboratory.call("down")


@pytest.fixture(scope="session")
def nano_image(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A qcow2 of 1 MiB whose boot sector shows a login prompt and obeys the power button.

    Not raw: Glance takes its boot sector for a broken partition table and refuses it.
    """
    source = pathlib.Path(__file__).parents[1] / "harness" / "guest" / "nano.S"
    directory = tmp_path_factory.mktemp("nano")
    built, sector, raw, image = (directory / f"nano.{kind}" for kind in ("o", "bin", "raw", "qcow2"))
    subprocess.run(["as", "--32", "-o", built, source], check=True)
    link = ["ld", "-m", "elf_i386", "-Ttext", "0x7c00", "--oformat", "binary", "-o", sector, built]
    subprocess.run(link, check=True)
    raw.write_bytes(sector.read_bytes().ljust(1 << 20, b"\0"))
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, image], check=True)
    return image
