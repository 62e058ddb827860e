"""What requests ask of the volume service before they are accepted: kept with them, or taken back, never both."""

from __future__ import annotations

import pytest

from nova_lite import exception
from nova_lite.db.api import provisional_volumes

pytestmark = pytest.mark.usefixtures("database")


def _due() -> list[int]:
    return [each.id for each in provisional_volumes.due()]


def test_what_was_just_asked_for_waits_and_what_was_forgotten_is_due() -> None:
    (fresh,) = provisional_volumes.promise(["server"], 60, "volume")
    (old,) = provisional_volumes.promise(["other"], -1, "volume")
    assert _due() == [old]
    provisional_volumes.refused([fresh])
    assert _due() == [fresh, old]


def test_what_is_accepted_is_nobodys_to_take_back() -> None:
    ids = provisional_volumes.promise(["server"], -1, "volume")
    provisional_volumes.keep(ids)
    assert _due() == [] and not provisional_volumes.doom(ids[0])


def test_what_is_taken_back_cannot_be_accepted_any_more() -> None:
    ids = provisional_volumes.promise(["server"], 60, "volume")
    assert provisional_volumes.doom(ids[0])
    with pytest.raises(exception.Unavailable):
        provisional_volumes.keep(ids)
    assert _due() == ids
    provisional_volumes.forget(ids[0])
    assert _due() == []
