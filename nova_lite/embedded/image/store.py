"""Images on disk: one JSON file of facts and one file of data each, both put in place by a rename.

What an answer said survives kill -9: facts are on the disk before the answer. An upload that was cut is forgotten at
the next start: its image is queued again. One process at a time owns the directory.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from oslo_log import log as logging

from nova_lite import concurrency, exception
from nova_lite.embedded import files
from nova_lite.embedded.image import records
from nova_lite.embedded.image.records import Image

LOG = logging.getLogger(__name__)


class ImageStore:
    """All images; facts are kept in memory too."""

    def __init__(self, directory: Path) -> None:
        self._facts = files.private_dir(directory / "facts")
        self._data = files.private_dir(directory / "data")
        self._lock = concurrency.Lock()
        self._images: dict[str, Image] = {}
        self._load()

    def _load(self) -> None:
        for path in self._facts.iterdir():
            if path.suffix != ".json":
                path.unlink()
                continue
            try:
                image = records.from_bytes(path.read_bytes())
            except (OSError, ValueError) as error:
                raise exception.ConfigInvalid(detail=f"The facts of an image, {path}, are unusable: {error}") from error
            if image.status == records.SAVING:
                image = image.changed(status=records.QUEUED, size=None)
                files.replace_private(path, records.to_bytes(image))
                LOG.warning("The upload of image %s was cut: it is queued again", image.id)
            self._images[image.id] = image
        for path in self._data.iterdir():
            kept = self._images.get(path.name)
            if kept is None or not kept.has_data:
                path.unlink()
                LOG.info("%s was left behind and is removed", path.name)

    def get(self, image_id: str) -> Image:
        """:raises ImageNotFound: there is none."""
        try:
            return self._images[image_id]
        except KeyError:
            raise exception.ImageNotFound(image_id=f"{image_id:.64}") from None

    def all(self) -> list[Image]:
        return list(self._images.values())

    def add(self, image: Image) -> None:
        """:raises Conflict: the id is taken."""
        with self._lock:
            if image.id in self._images:
                raise exception.Conflict(f"Image ID {image.id} already exists!")
            self._write(image)

    def update(self, image_id: str, change: Callable[[Image], Image]) -> Image:
        """Apply the change to the newest facts; nobody else's change comes between.

        :raises ImageNotFound: it was deleted meanwhile.
        """
        with self._lock:
            image = change(self.get(image_id))
            self._write(image)
            return image

    def _write(self, image: Image) -> None:
        files.replace_private(self._fact_path(image.id), records.to_bytes(image))
        self._images[image.id] = image

    def remove(self, image_id: str, check: Callable[[Image], None]) -> None:
        """Delete facts and data, unless ``check`` raises about the newest facts.

        :raises ImageNotFound: somebody was faster.
        """
        with self._lock:
            check(self.get(image_id))
            self._fact_path(image_id).unlink(missing_ok=True)
            concurrency.run_blocking(files.sync_dir, self._facts)
            del self._images[image_id]
        self.data_path(image_id).unlink(missing_ok=True)

    def _fact_path(self, image_id: str) -> Path:
        return self._facts / f"{image_id}.json"

    def data_path(self, image_id: str) -> Path:
        return self._data / image_id

    def new_part(self, image_id: str) -> Path:
        """A name for an upload on its way; the next start removes what is left of it."""
        return self._data / f"{image_id}.{secrets.token_hex(8)}.part"

    def settle(self, part: Path, image_id: str, change: Callable[[Image], Image]) -> Image:
        """Make the finished upload the image's data, and the change its facts.

        :raises ImageNotFound: the image was deleted meanwhile; the data is gone too.
        """
        os.replace(part, self.data_path(image_id))
        try:
            concurrency.run_blocking(files.sync_dir, self._data)
            return self.update(image_id, change)
        except exception.ImageNotFound:
            self.data_path(image_id).unlink(missing_ok=True)
            raise
