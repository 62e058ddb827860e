"""A client's key: what it accepts, what it gives away."""

from __future__ import annotations

import pytest

from nova_lite import exception
from nova_lite.api.openstack.compute import admin_password
from nova_lite.compute.once import Once
from tests.harness.database import fresh_database, make_instance

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


def test_a_key_answers_its_own_request_only() -> None:
    with fresh_database():
        first = Once("p", "key", {"name": "web"})
        assert first.kept() is None
        first.keep(make_instance())
        made = Once("p", "key", {"name": "web"}).kept()
        assert made is not None and made.server.uuid == make_instance().uuid
        with pytest.raises(exception.IdempotencyKeyReused):
            Once("p", "key", {"name": "mail"}).kept()
        assert Once("other", "key", {"name": "web"}).kept() is None
        with pytest.raises(exception.IdempotencyKeyInUse):
            Once("p", "key", {"name": "web"}).keep(make_instance("second"))
