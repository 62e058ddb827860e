"""What a creation reserved or had made is given back when it is refused half-way."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite import concurrency, exception
from nova_lite.compute import reservations
from nova_lite.compute.create import Build
from nova_lite.objects import BlockDevice
from nova_lite.volume.meta import Volume
from tests.harness.database import make_instance
from tests.harness.lone_host import CTXT, Volumes


class Maker(Volumes):
    """Makes volumes, too; the one named ``taken`` is somebody else's."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[str] = []

    def attachment_create(self, ctxt: Any, volume_id: str, instance_uuid: str) -> str:
        if volume_id == "taken":
            raise exception.InvalidInput(reason="the volume is in use")
        return super().attachment_create(ctxt, volume_id, instance_uuid)

    def create(self, ctxt: Any, size: int, name: str, **rest: Any) -> Volume:
        self.made.append(f"made-{len(self.made)}")
        if len(self.made) > 1:
            raise exception.Unavailable("the volume service went away")
        return Volume(self.made[-1], "creating", size)

    def wait_available(self, ctxt: Any, volume_id: str) -> None:
        assert volume_id in self.made

    def delete(self, ctxt: Any, volume_id: str) -> None:
        self.made.remove(volume_id)


def _build(name: str, *volume_ids: str, blank: bool = False) -> Build:
    devices = [BlockDevice("volume", "volume", volume_id=each, bdm_uuid=f"{name}-{each}") for each in volume_ids]
    if blank:
        devices.append(BlockDevice("blank", "volume", volume_size=1, bdm_uuid=f"{name}-blank"))
    return Build(make_instance(name, block_devices=tuple(devices)))


def test_what_is_reserved_is_written_into_the_builds() -> None:
    volumes = Maker()
    (build,) = reservations.reserve(CTXT, volumes, [_build("one", "v", blank=True)])  # type: ignore[arg-type]
    mine, made = build.instance.block_devices
    assert mine.attachment_id in volumes.attachments and made.volume_id == "made-0"


def test_a_volume_that_is_somebody_elses_leaves_nothing_reserved() -> None:
    volumes = Maker()
    with pytest.raises(exception.InvalidVolume):
        reservations.reserve(CTXT, volumes, [_build("one", "v"), _build("two", "taken", blank=True)])  # type: ignore[arg-type]
    assert (volumes.attachments, volumes.made) == ({}, [])


def test_what_was_made_goes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "spawn", lambda work, *args: work(*args))
    volumes = Maker()
    builds = [_build("one", "v", blank=True), _build("two", blank=True)]
    with pytest.raises(exception.Unavailable):
        reservations.reserve(CTXT, volumes, builds)  # type: ignore[arg-type]
    assert (volumes.attachments, volumes.made) == ({}, ["made-1"]), "the second was never made"
