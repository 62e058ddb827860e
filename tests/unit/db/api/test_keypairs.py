"""Key pairs: unique by user and name, counted, paged by name."""

from __future__ import annotations

import pytest

from nova_lite import exception
from nova_lite.db.api import keypairs, quotas
from nova_lite.objects import KeyPair

pytestmark = pytest.mark.usefixtures("database")


def _create(name: str, user: str = "u", limit: int = -1) -> KeyPair:
    return keypairs.create(KeyPair(name, user, "aa:bb", "ssh-rsa AAAA", "x509"), limit)


def test_what_is_created_is_read_again() -> None:
    written = _create("k")
    assert keypairs.get("u", "k") == written
    assert written.id is not None and written.created_at is not None and written.updated_at is None
    assert _create("k", user="other").id != written.id
    assert _create("K").name == "K"


def test_a_name_is_taken_once_and_nothing_is_counted_for_the_second() -> None:
    _create("k")
    with pytest.raises(exception.KeypairExists, match="Key pair 'k' already exists."):
        _create("k")
    assert quotas.usage(quotas.USER, "u") == {"key_pairs": 1}


def test_quota() -> None:
    _create("a", limit=2)
    _create("b", limit=2)
    with pytest.raises(exception.OverQuota, match="Quota exceeded, too many key pairs."):
        _create("c", limit=2)
    keypairs.destroy("u", "a")
    assert _create("c", limit=2)
    assert quotas.audit() == []


def test_destroy() -> None:
    _create("a")
    keypairs.destroy("u", "a")
    with pytest.raises(exception.KeypairNotFound, match="Keypair a not found for user u"):
        keypairs.destroy("u", "a")
    assert quotas.usage(quotas.USER, "u") == {"key_pairs": 0}


@pytest.mark.parametrize("name", ["zzz", "nul\x00"])
def test_not_found(name: str) -> None:
    with pytest.raises(exception.KeypairNotFound):
        keypairs.get("u", name)


def test_pages() -> None:
    for name in ("c", "a", "b"):
        _create(name)
    _create("x", user="other")
    assert [each.name for each in keypairs.list("u")] == ["a", "b", "c"]
    assert [each.name for each in keypairs.list("u", limit=2)] == ["a", "b"]
    assert [each.name for each in keypairs.list("u", limit=2, marker="b")] == ["c"]
    assert keypairs.list("u", limit=0) == []
    with pytest.raises(exception.MarkerNotFound, match="Marker x could not be found."):
        keypairs.list("u", marker="x")
