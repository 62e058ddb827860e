"""What requests ask of the volume service before they are accepted: kept with them, or taken back, never both."""

from __future__ import annotations

from unittest import mock

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
    assert provisional_volumes.refused([fresh])
    assert _due() == [old, fresh]


def test_what_could_not_be_taken_back_lets_the_others_go_first() -> None:
    stuck, later = (provisional_volumes.promise(["server"], -1, volume)[0] for volume in ("a", "b"))
    assert provisional_volumes.doom(stuck) and _due() == [later, stuck]
    assert provisional_volumes.doom(later) and _due() == [stuck, later]


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


@pytest.mark.parametrize("accepted", [True, False])
def test_only_what_was_not_accepted_is_undone(accepted: bool) -> None:
    """Whoever asked for the acceptance hears of an error either way: the answer of the commit may be lost."""
    undo, failing = mock.Mock(), mock.Mock(side_effect=exception.Unavailable())
    with pytest.raises(exception.DatabaseUnavailable), provisional_volumes.promised(["server"], 60, "a", "b") as one:
        one.undo(undo)
        one.undo(failing)
        if accepted:
            one.keep()
        raise exception.DatabaseUnavailable
    assert undo.called is failing.called is not accepted
    assert len(_due()) == (0 if accepted else 2)


def test_what_a_conductor_took_back_is_not_undone_again() -> None:
    """The volume may be somebody else's by then."""
    undo = mock.Mock()
    with pytest.raises(exception.Unavailable), provisional_volumes.promised(["server"], 60, "a", "b") as one:
        one.undo(undo)
        first = provisional_volumes.list_all()[0].id
        assert provisional_volumes.doom(first)
        provisional_volumes.forget(first)
        one.keep()
    assert not undo.called and len(_due()) == 1
