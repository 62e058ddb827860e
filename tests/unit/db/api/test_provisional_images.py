"""Images that go unless something comes of them."""

from __future__ import annotations

import pytest

from nova_lite import exception
from nova_lite.db.api import operations, provisional_images
from nova_lite.objects import OperationState
from tests.harness import clocks

SERVER, IMAGE = "11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000001"
OTHER = "22222222-0000-4000-8000-000000000002"

pytestmark = pytest.mark.usefixtures("database")


def _operation(state: OperationState = OperationState.PENDING, **args: str) -> int:
    return operations.insert_pending(
        request_id="req", instance_uuid=SERVER, action="createImage", project_id="p", user_id="u", topic="compute",
        host="h", args=args, timeout_s=10, state=state,
    )  # fmt: skip


def _due() -> list[str]:
    return [image.image_id for image in provisional_images.due()]


def test_a_promise_waits_for_its_acceptance() -> None:
    provisional_images.promise(IMAGE, SERVER, 600)
    assert _due() == [] and [image.image_id for image in provisional_images.list_all()] == [IMAGE]
    provisional_images.promise(OTHER, SERVER, seconds=-1)
    assert _due() == [OTHER]


@pytest.mark.parametrize("state", [OperationState.FAILED, OperationState.DONE])
def test_an_end_without_keeping_it_makes_it_due(state: OperationState) -> None:
    provisional_images.promise(IMAGE, SERVER, 600)
    number = _operation()
    provisional_images.bind(IMAGE, number)
    assert _due() == []
    taken = operations.take(number, "me", 10, "compute", "h")
    assert taken is not None and _due() == []
    operations.finish(number, taken.attempt, state)
    assert _due() == [IMAGE]
    assert provisional_images.keep(IMAGE) and not provisional_images.keep(IMAGE)
    assert _due() == []


def test_an_operation_that_was_purged_has_ended() -> None:
    provisional_images.promise(IMAGE, SERVER, 600)
    provisional_images.bind(IMAGE, 4711)
    assert _due() == [IMAGE]


def test_what_took_so_long_that_it_may_be_on_its_way_out_is_not_accepted() -> None:
    """A chore that stood still between its look and the removal took an image that was accepted meanwhile."""
    provisional_images.promise(IMAGE, SERVER, seconds=-1)
    with pytest.raises(exception.Unavailable):
        provisional_images.bind(IMAGE, _operation())
    with pytest.raises(exception.Unavailable):
        provisional_images.stays(IMAGE)
    assert _due() == [IMAGE]


def test_what_was_forgotten_while_it_was_made_is_not_accepted() -> None:
    with pytest.raises(exception.Unavailable):
        provisional_images.bind(IMAGE, _operation())


def test_what_was_accepted_meanwhile_is_not_doomed() -> None:
    provisional_images.promise(IMAGE, SERVER, 600)
    provisional_images.bind(IMAGE, _operation())
    assert not provisional_images.doom(IMAGE)
    provisional_images.discard(OTHER, SERVER)
    assert provisional_images.doom(OTHER) and _due() == [OTHER]


def test_what_is_whole_stays() -> None:
    provisional_images.promise(IMAGE, SERVER, 600)
    provisional_images.stays(IMAGE)
    assert provisional_images.list_all() == [] and not provisional_images.doom(IMAGE)


def test_a_conductor_whose_clock_is_ahead_forgets_no_promise() -> None:
    provisional_images.promise(IMAGE, SERVER, 600)
    with clocks.ahead(hours=1):
        assert _due() == []


def test_what_is_discarded_is_due_whether_it_was_promised_or_not() -> None:
    provisional_images.promise(IMAGE, SERVER, 600)
    provisional_images.discard(IMAGE, SERVER)
    provisional_images.discard(OTHER, SERVER)
    provisional_images.discard(OTHER, SERVER)
    assert _due() == [IMAGE, OTHER]


def test_what_an_operation_is_about_goes_by_its_end_whoever_discards_it() -> None:
    provisional_images.promise(IMAGE, SERVER, 600)
    number = _operation()
    provisional_images.bind(IMAGE, number)
    provisional_images.discard(IMAGE, SERVER)
    assert _due() == [] and [image.operation_id for image in provisional_images.list_all()] == [number]


def test_only_what_was_not_accepted_is_refused() -> None:
    """A request that hears of its acceptance too late takes nothing back, be it under way or done."""
    provisional_images.promise(IMAGE, SERVER, 600)
    provisional_images.promise(OTHER, SERVER, 600)
    assert provisional_images.refused(OTHER, SERVER) and _due() == [OTHER]
    provisional_images.bind(IMAGE, _operation(image_id=IMAGE))
    assert not provisional_images.refused(IMAGE, SERVER) and _due() == [OTHER]
    provisional_images.keep(IMAGE)
    assert not provisional_images.refused(IMAGE, SERVER) and _due() == [OTHER]


def test_what_was_forgotten_while_it_was_made_and_is_refused_then_goes() -> None:
    provisional_images.promise(IMAGE, SERVER, seconds=-1)
    provisional_images.keep(IMAGE)  # a conductor found nothing to remove yet
    assert provisional_images.refused(IMAGE, SERVER) and _due() == [IMAGE]
