"""The fake hypervisor's snapshots: a small real file that says whose disk it is."""

from __future__ import annotations

import pathlib
import tempfile
from collections.abc import Callable
from typing import IO

from nova_lite.objects import Instance
from nova_lite.virt import driver
from nova_lite.virt.fake.base import FakeBase

_SIZE = 4096


class FakeSnapshot(FakeBase, driver.SnapshotDriver):
    """Group ``snapshot``."""

    def snapshot(self, instance: Instance, keep: Callable[[IO[bytes], str], None]) -> None:
        self.plan.strike("snapshot", instance.uuid)
        self._guest(instance)
        text = f"FAKE DISK of {instance.uuid}, made of image {self.roots.get(instance.uuid)}\n"
        path = pathlib.Path(self._directory or tempfile.gettempdir()) / f"{instance.uuid}.snapshot"
        try:
            path.write_bytes(text.encode().ljust(_SIZE, b"\0"))
            with open(path, "rb") as file:
                keep(file, "raw")
        finally:
            path.unlink(missing_ok=True)
