"""Where a server's files lie and what each disk is: nouns only; ``disks`` makes them, ``build`` describes them."""

from __future__ import annotations

import json
import os
import uuid as uuids
from dataclasses import asdict, dataclass

MANIFEST_VERSION = 1


@dataclass(frozen=True)
class LocalDisk:
    """``role`` is root, ephemeral, swap or config; ``base`` the file an overlay reads through to."""

    role: str
    path: str
    format: str
    device: str = "disk"
    base: str | None = None
    base_format: str | None = None


@dataclass(frozen=True)
class Layout:
    """The disks of one server, and the kernel it boots directly where its image names one."""

    disks: tuple[LocalDisk, ...] = ()
    kernel: str | None = None
    ramdisk: str | None = None

    def to_json(self) -> str:
        return json.dumps({"version": MANIFEST_VERSION, **asdict(self)}, indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Layout:
        """Read a manifest.

        :raises ValueError: it is not one of ours.
        """
        values = json.loads(text)
        if not isinstance(values, dict) or values.pop("version", None) != MANIFEST_VERSION:
            raise ValueError("not a manifest of disks")
        disks = tuple(LocalDisk(**each) for each in values.pop("disks"))
        return cls(disks=disks, **values)


def is_uuid(name: str) -> bool:
    """Whether the text is a uuid in the form all our servers' have."""
    try:
        return str(uuids.UUID(name)) == name
    except ValueError:
        return False


@dataclass(frozen=True)
class Paths:
    """The files of one server under the instances directory; nothing is created here."""

    root: str
    uuid: str

    def __post_init__(self) -> None:
        if not is_uuid(self.uuid):  # it becomes part of a path that is deleted recursively
            raise ValueError(f"not a canonical uuid: {self.uuid[:40]!r}")

    @property
    def directory(self) -> str:
        return os.path.join(self.root, self.uuid)

    @property
    def manifest(self) -> str:
        return os.path.join(self.directory, "disks.json")

    @property
    def console_log(self) -> str:
        return os.path.join(self.directory, "console.log")

    def disk(self, role: str) -> str:
        return os.path.join(self.directory, f"disk.{role}")
