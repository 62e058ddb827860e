"""A shelf of records of one kind: one JSON file each, kept in memory too, on the disk before the answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from nova_lite import concurrency, exception
from nova_lite.embedded import files
from nova_lite.embedded.volume import records
from nova_lite.embedded.volume.records import Record

R = TypeVar("R", bound=Record)


class Shelf(Generic[R]):
    """:param missing: makes the error for an id that is not here. Changes are made under the store's one lock."""

    def __init__(self, directory: Path, cls: type[R], missing: Callable[[str], exception.NotFound]) -> None:
        self._directory = files.private_dir(directory)
        self._missing = missing
        self._kept: dict[str, R] = {}
        for path in self._directory.iterdir():
            if path.suffix != ".json":
                path.unlink()
                continue
            try:
                record = records.from_bytes(cls, path.read_bytes())
            except (OSError, ValueError) as error:
                raise exception.ConfigInvalid(
                    detail=f"The facts of a {cls.__name__}, {path}, are unusable: {error}"
                ) from error
            self._kept[record.id] = record

    def get(self, record_id: str) -> R:
        """:raises NotFound: there is none."""
        try:
            return self._kept[record_id]
        except KeyError:
            raise self._missing(record_id) from None

    def all(self) -> list[R]:
        return list(self._kept.values())

    def put(self, record: R) -> R:
        """Keep it, new or changed."""
        files.replace_private(self._directory / f"{record.id}.json", records.to_bytes(record))
        self._kept[record.id] = record
        return record

    def drop(self, record_id: str) -> None:
        (self._directory / f"{record_id}.json").unlink(missing_ok=True)
        concurrency.run_blocking(files.sync_dir, self._directory)
        self._kept.pop(record_id, None)
