"""Images that nothing came of are removed, except those that somebody needs or protects."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nova_lite import exception
from nova_lite.conductor import leftover_images
from nova_lite.db.api import instances, provisional_images
from nova_lite.volume.meta import Snapshot
from tests.harness.database import fresh_database, make_instance

FIRST, SECOND = "22222222-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002"
SERVER = "33333333-0000-4000-8000-000000000001"


class Images:
    """Answers each removal with the next of ``answers``."""

    def __init__(self, *answers: bool | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def delete(self, ctxt: object, image_id: str) -> bool:
        self.asked.append(image_id)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Volumes:
    """Has the snapshots ``left``, by status."""

    def __init__(self, *left: str) -> None:
        self.left = list(left)

    def snapshots_made_for(self, ctxt: object, image_id: str) -> list[Snapshot]:
        return [Snapshot(status, status, 1, "a volume") for status in self.left]

    def delete_snapshot(self, ctxt: object, snapshot_id: str) -> None:
        self.left.remove(snapshot_id)


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    with fresh_database():
        yield


def _left() -> list[str]:
    return [image.image_id for image in provisional_images.list_all()]


def _discard(*image_ids: str) -> None:
    for image_id in image_ids:
        provisional_images.discard(image_id, SERVER)


@pytest.mark.parametrize("answer", [True, False, exception.Forbidden("protected"), exception.Conflict("in use")])
def test_what_is_gone_or_somebody_elses_now_is_forgotten(answer: bool | Exception) -> None:
    _discard(FIRST)
    images = Images(answer)
    leftover_images.remove(images, Volumes())  # type: ignore[arg-type]
    assert images.asked == [FIRST] and _left() == []


def test_what_was_accepted_after_the_look_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """The conductor stood still between the two."""
    provisional_images.promise(FIRST, SERVER, 600)
    look = provisional_images.ProvisionalImage(FIRST, SERVER, None)
    monkeypatch.setattr(provisional_images, "due", lambda: [look])
    images = Images()
    leftover_images.remove(images, Volumes())  # type: ignore[arg-type]
    assert images.asked == [] and _left() == [FIRST]


def test_while_the_image_service_is_away_everything_waits() -> None:
    _discard(FIRST, SECOND)
    images = Images(exception.Unavailable("away"))
    leftover_images.remove(images, Volumes())  # type: ignore[arg-type]
    assert images.asked == [FIRST] and _left() == [FIRST, SECOND]


def test_one_that_cannot_be_removed_does_not_stop_the_others() -> None:
    _discard(FIRST, SECOND)
    images = Images(exception.Invalid("odd"), True)
    leftover_images.remove(images, Volumes())  # type: ignore[arg-type]
    assert images.asked == [FIRST, SECOND] and _left() == [FIRST]


@pytest.mark.parametrize("why", [exception.Unavailable("its store is broken"), exception.Invalid("odd"), True])
def test_what_stays_lets_the_others_go_first(why: bool | Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """A round does not get to all: those that stay must not be the only ones that are ever tried."""
    server = instances.insert(make_instance(image_ref=""))
    for image_id in (FIRST, SECOND):
        provisional_images.discard(image_id, server.uuid)
    due, images, volumes = provisional_images.due, Images(why, True), Volumes("creating")
    monkeypatch.setattr(provisional_images, "due", lambda: due(limit=1))
    leftover_images.remove(images, volumes)  # type: ignore[arg-type]
    volumes.left = []
    leftover_images.remove(images, volumes)  # type: ignore[arg-type]
    assert images.asked == [FIRST, SECOND] and _left() == [FIRST]


def test_an_image_that_holds_a_shelved_servers_disk_stays() -> None:
    server = make_instance(system_metadata={"shelved_image_id": FIRST})
    instances.insert(server)
    provisional_images.discard(FIRST, server.uuid)
    images = Images()
    leftover_images.remove(images, Volumes())  # type: ignore[arg-type]
    assert images.asked == [] and _left() == []


def test_snapshots_that_were_made_for_it_go_once_they_are_there() -> None:
    server = make_instance(image_ref="")
    instances.insert(server)
    provisional_images.discard(FIRST, server.uuid)
    volumes = Volumes("available", "creating")
    leftover_images.remove(Images(True), volumes)  # type: ignore[arg-type]
    assert volumes.left == ["creating"] and _left() == [FIRST]
    volumes.left = ["available"]
    leftover_images.remove(Images(False), volumes)  # type: ignore[arg-type]
    assert volumes.left == [] and _left() == []
