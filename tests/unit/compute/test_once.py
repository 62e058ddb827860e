"""A client's key: what it accepts, what it gives away."""

from __future__ import annotations

import pytest

from nova_lite import exception
from nova_lite.api.openstack.compute import admin_password
from nova_lite.compute.once import Once

SALT = "00" * 16


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "a\x00"])
def test_what_is_no_key(key: str) -> None:
    with pytest.raises(exception.Invalid):
        Once("p", key, {})


def test_a_password_needs_both_the_key_and_the_salt() -> None:
    once = Once("p", "key", {})
    password = admin_password.derived(once.secret(SALT))
    assert password == admin_password.derived(Once("other", "key", {"other": 1}).secret(SALT))
    assert password != admin_password.derived(Once("p", "another", {}).secret(SALT))
    assert password != admin_password.derived(once.secret("01" * 16))


def test_every_request_has_a_salt_of_its_own() -> None:
    assert len({Once("p", "key", {}).salt for _ in range(20)}) == 20
