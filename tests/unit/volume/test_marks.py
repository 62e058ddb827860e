"""A mark goes; what is not marked, or gone, is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite import exception
from nova_lite.volume import marks
from nova_lite.volume.meta import Volume


class _Marked:
    def __init__(self, status: str | None) -> None:
        self._status, self.rolled = status, False

    def get(self, ctxt: Any, volume_id: str) -> Volume:
        if self._status is None:
            raise exception.VolumeNotFound(volume_id=volume_id)
        return Volume(volume_id, self._status, 1)

    def roll_detaching(self, ctxt: Any, volume_id: str) -> None:
        self.rolled = True


@pytest.mark.parametrize(("status", "rolled"), [("detaching", True), ("in-use", False), (None, False)])
def test_only_a_mark_is_taken_off(status: str | None, rolled: bool) -> None:
    volumes: Any = _Marked(status)
    marks.take_off(volumes, "v")
    assert volumes.rolled == rolled
