"""Builds the nano guest: a disk of 1 MiB that shows a login prompt, counts its boots and obeys the power button."""

from __future__ import annotations

import pathlib
import subprocess

SOURCE = pathlib.Path(__file__).with_name("nano.S")
SIZE = 1 << 20
PROMPT = b"nano login: "
PROGRAMS = ("as", "ld")


def build(directory: pathlib.Path) -> pathlib.Path:
    """nano.raw in the directory; built once."""
    image = directory / "nano.raw"
    if not image.exists():
        built, sector = directory / "nano.o", directory / "nano.bin"
        subprocess.run(["as", "--32", "-o", built, SOURCE], check=True)
        link = ["ld", "-m", "elf_i386", "-Ttext", "0x7c00", "--oformat", "binary", "-o", sector, built]
        subprocess.run(link, check=True)
        image.write_bytes(sector.read_bytes().ljust(SIZE, b"\0"))
    return image
