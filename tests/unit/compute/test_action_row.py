"""What a row can say: rests between attempts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_lite.compute.action_row import Backoff
from nova_lite.compute.actions import ACTIONS, LIVE_MIGRATE, TRIGGER_CRASH_DUMP, OnRestart


@pytest.mark.parametrize(("rests", "most_s"), [(0, 2.0), (1, 4.0), (2, 8.0), (5, 60.0), (10_000, 60.0)])
def test_rests_grow_until_the_longest(rests: int, most_s: float) -> None:
    assert Backoff(jitter=0).rest_s(rests, 1) == most_s


@given(rests=st.integers(0, 1000), salt=st.integers(1, 2**63))
def test_jitter_only_shortens_and_never_by_more_than_it_says(rests: int, salt: int) -> None:
    whole = Backoff(jitter=0).rest_s(rests, salt)
    assert 0.8 * whole <= Backoff(jitter=0.2).rest_s(rests, salt) <= whole


def test_what_failed_together_is_not_tried_together() -> None:
    assert len({Backoff().rest_s(3, salt) for salt in range(1, 50)}) > 40


def test_only_what_must_not_be_done_twice_is_not_resumed() -> None:
    others = {row for row in ACTIONS if row.on_restart is not OnRestart.RESUME}
    assert others == {LIVE_MIGRATE, TRIGGER_CRASH_DUMP}
