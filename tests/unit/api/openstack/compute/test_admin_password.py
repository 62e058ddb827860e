"""The generator of adminPass."""

from __future__ import annotations

import pytest

from nova_lite.api.openstack.compute import admin_password


def test_passwords_differ_and_have_all_kinds() -> None:
    made = {admin_password.new() for _ in range(50)}
    assert len(made) == 50
    assert {len(each) for each in made} == {12}
    assert all(any(map(str.isdigit, each)) and any(map(str.isupper, each)) for each in made)


@pytest.mark.parametrize("part", [None, {}, {"adminPass": None}, {"adminPass": ""}])
def test_what_is_not_asked_is_new(part: dict[str, str] | None) -> None:
    assert len(admin_password.asked_or_new(part)) == admin_password.LENGTH


def test_what_is_asked_is_kept() -> None:
    assert admin_password.asked_or_new({"adminPass": "mine"}) == "mine"


def test_derived_passwords_are_the_same_again_and_look_like_new_ones() -> None:
    made = [admin_password.derived(bytes([number]) * 32) for number in range(200)]
    assert made == [admin_password.derived(bytes([number]) * 32) for number in range(200)]
    assert len(set(made)) == 200
    assert {len(each) for each in made} == {12}
    assert all(any(map(str.isdigit, each)) and any(map(str.isupper, each)) for each in made)
    assert set("".join(made)) == set("".join(admin_password.new() for _ in range(500)))
