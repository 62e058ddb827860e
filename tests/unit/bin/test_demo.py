"""What `make run` decides of a cloud that it finds."""

from __future__ import annotations

import pathlib

import pytest

from demo import cloud
from demo.place import PREFERRED_PORTS


@pytest.mark.parametrize(
    ("before", "now", "other"), [("", "qemu:///system", True), ("qemu:///system", "", True), ("", "", False),
                                 ("qemu:///session", "qemu:///system", False)],
)  # fmt: skip
def test_a_cloud_that_had_the_other_driver_is_known(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, before: str, now: str, other: bool
) -> None:
    monkeypatch.setattr(cloud, "STATE", tmp_path)
    assert not cloud.had_other_driver(now)
    cloud.configure(PREFERRED_PORTS, before)
    assert cloud.had_other_driver(now) == other
