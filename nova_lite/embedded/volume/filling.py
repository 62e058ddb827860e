"""The background work of the volume service: what becomes of a volume or a snapshot after the answer "creating"."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from oslo_log import log as logging

from nova_lite import concurrency, exception
from nova_lite.context import RequestContext
from nova_lite.embedded.volume import copying, records
from nova_lite.embedded.volume.copying import Images
from nova_lite.embedded.volume.records import Snapshot, Volume
from nova_lite.embedded.volume.store import Store

LOG = logging.getLogger(__name__)

_WORKERS = 8


class Filling:
    """Makes files, a few at a time; the record says how it went. ``images`` is the image service's door."""

    def __init__(self, store: Store, images: Images) -> None:
        self._store = store
        self._images = images
        self._pool = concurrency.Pool(_WORKERS, name="volumes")

    def image(self, image_id: str, token: str | None) -> Any:
        """The image as the owner of the token sees it.

        :raises Invalid: there is none.
        """
        try:
            return self._images.get(_acting(token), image_id)
        except exception.ImageNotFound as error:
            raise exception.Invalid(
                f"Invalid image identifier or unable to access requested image: {image_id:.64}."
            ) from error

    def volume(self, volume: Volume, image: Any, token: str | None) -> None:
        """Fill a new volume, later."""
        self._pool.spawn(self._fill_volume, volume, image, token)

    def reimage(self, volume: Volume, image: Any, token: str | None, back_to: str) -> None:
        """Replace a volume's content by an image's, later; its status is ``back_to`` afterwards."""
        self._pool.spawn(self._fill_volume, volume, image, token, back_to)

    def snapshot(self, snapshot: Snapshot) -> None:
        """Copy a volume into its snapshot, later."""
        self._pool.spawn(self._fill_snapshot, snapshot)

    def _fill_volume(self, volume: Volume, image: Any, token: str | None, back_to: str = records.AVAILABLE) -> None:
        target = self._store.volume_path(volume.id)

        def fill(path: Path) -> None:
            if image is not None:
                copying.from_image(self._images, _acting(token), image, path, volume.size)
            elif volume.snapshot_id:
                copying.copy(self._store.snapshot_path(volume.snapshot_id), path, volume.size)
            elif volume.source_volid:
                copying.copy(self._store.volume_path(volume.source_volid), path, volume.size)
            else:
                copying.blank(path, volume.size)

        status = self._made(fill, target, f"volume {volume.id}", back_to)
        with self._store.lock:
            self._settle(self._store.volumes, volume.id, target, status)

    def _fill_snapshot(self, snapshot: Snapshot) -> None:
        source, target = self._store.volume_path(snapshot.volume_id), self._store.snapshot_path(snapshot.id)
        status = self._made(
            lambda path: copying.copy(source, path, snapshot.size), target, f"snapshot {snapshot.id}", records.AVAILABLE
        )
        with self._store.lock:
            self._settle(self._store.snapshots, snapshot.id, target, status)

    def _made(self, fill: Callable[[Path], None], target: Path, what: str, well: str) -> str:
        """Make the file beside and put it in place; the status that came of it."""
        scratch = self._store.scratch_path()
        try:
            fill(scratch)
            scratch.replace(target)
        except Exception:
            LOG.exception("The content of %s could not be made", what)
            return records.ERROR
        finally:
            scratch.unlink(missing_ok=True)
        return well

    def _settle(self, shelf: Any, record_id: str, target: Path, status: str) -> None:
        try:
            record = shelf.get(record_id)
        except exception.NotFound:  # deleted by force meanwhile
            target.unlink(missing_ok=True)
            return
        if record.status in records.PASSING:
            shelf.put(record.changed(status=status))


def _acting(token: str | None) -> RequestContext | None:
    return RequestContext(auth_token=token, overwrite=False) if token else None
