"""Volumes on disk: facts beside sparse raw files, one file a volume and one a snapshot.

What an answer said survives kill -9. A copy that was cut short is an error at the next start; a delete goes on.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

from oslo_log import log as logging

from nova_lite import concurrency, exception
from nova_lite.embedded import files
from nova_lite.embedded.volume import records
from nova_lite.embedded.volume.records import Attachment, Snapshot, Volume, VolumeType
from nova_lite.embedded.volume.shelf import Shelf

LOG = logging.getLogger(__name__)

_TYPES = uuid.UUID("766f6c75-6d65-4479-8065-730000000000")


class Store:
    """``lock`` is held over every decision that reads several records and changes one."""

    def __init__(self, directory: Path) -> None:
        self.lock = concurrency.Lock()
        facts = files.private_dir(directory) / "facts"
        self._data = files.private_dir(directory / "data")
        self.volumes = Shelf(facts / "volumes", Volume, _missing("Volume"))
        self.snapshots = Shelf(facts / "snapshots", Snapshot, _missing("Snapshot"))
        self.attachments = Shelf(facts / "attachments", Attachment, _missing("Volume attachment"))
        self.types = Shelf(facts / "types", VolumeType, _missing("Volume type"))
        self._add_types()
        self._recover()

    def _add_types(self) -> None:
        specs = {records.DEFAULT_TYPE: {}, records.MULTIATTACH: {records.MULTIATTACH: "<is> True"}}
        words = {records.DEFAULT_TYPE: "Default Volume Type", records.MULTIATTACH: "For several servers at once"}
        known = {each.name for each in self.types.all()}
        for name, extra_specs in specs.items():
            if name not in known:
                type_id = str(uuid.uuid5(_TYPES, name))
                self.types.put(
                    VolumeType(
                        type_id, created_at=records.now(), name=name, description=words[name], extra_specs=extra_specs
                    )
                )

    def _recover(self) -> None:
        for volume in self.volumes.all():
            if volume.status in records.PASSING:
                LOG.warning("The making of volume %s was cut short: it is in error", volume.id)
                self.volumes.put(volume.changed(status=records.ERROR))
            elif volume.status == records.DELETING:
                self.forget_volume(volume.id)
        for snapshot in self.snapshots.all():
            if snapshot.status in records.PASSING:
                self.snapshots.put(snapshot.changed(status=records.ERROR))
            elif snapshot.status == records.DELETING:
                self.forget_snapshot(snapshot.id)
        known = {f"volume-{each.id}" for each in self.volumes.all()}
        known |= {f"snapshot-{each.id}" for each in self.snapshots.all()}
        for path in self._data.iterdir():
            if path.name not in known:
                path.unlink()
                LOG.info("%s was left behind and is removed", path.name)

    # -- data -------------------------------------------------------------------------------------

    def volume_path(self, volume_id: str) -> Path:
        return self._data / f"volume-{volume_id}"

    def snapshot_path(self, snapshot_id: str) -> Path:
        return self._data / f"snapshot-{snapshot_id}"

    def scratch_path(self) -> Path:
        """A name for a copy on its way; the next start removes what is left of it."""
        return self._data / f"scratch-{uuid.uuid4().hex}"

    def forget_volume(self, volume_id: str) -> None:
        """Data first: facts without data are found again, data without facts are swept at the next start."""
        self.volume_path(volume_id).unlink(missing_ok=True)
        self.volumes.drop(volume_id)

    def forget_snapshot(self, snapshot_id: str) -> None:
        self.snapshot_path(snapshot_id).unlink(missing_ok=True)
        self.snapshots.drop(snapshot_id)

    # -- what belongs together --------------------------------------------------------------------

    def attachments_of(self, volume_id: str) -> list[Attachment]:
        found = [each for each in self.attachments.all() if each.volume_id == volume_id]
        return sorted(found, key=lambda each: (each.created_at, each.id))

    def snapshots_of(self, volume_id: str) -> list[Snapshot]:
        return [each for each in self.snapshots.all() if each.volume_id == volume_id]

    def type_named(self, name_or_id: str) -> VolumeType:
        """:raises NotFound: no type has the name or the id."""
        for each in self.types.all():
            if name_or_id in (each.name, each.id):
                return each
        raise exception.NotFound(f"Volume type {name_or_id:.255} could not be found.")


def _missing(noun: str) -> Callable[[str], exception.NotFound]:
    if noun == "Volume attachment":
        return lambda record_id: exception.NotFound(
            f"Volume attachment could not be found with filter: attachment_id = {record_id:.64}."
        )
    return lambda record_id: exception.NotFound(f"{noun} {record_id:.64} could not be found.")
