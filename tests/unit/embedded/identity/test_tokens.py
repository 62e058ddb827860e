"""Signatures, hashes, and the table of wrong guesses."""

from __future__ import annotations

import datetime
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_lite import exception
from nova_lite.embedded import wsgi
from nova_lite.embedded.identity import passwords
from nova_lite.embedded.identity.directory import Scope
from nova_lite.embedded.identity.revocations import Revocations
from nova_lite.embedded.identity.throttle import Throttle
from nova_lite.embedded.identity.tokens import BadToken, Signer, Token

NOW = datetime.datetime(2026, 11, 20, 12, 0, 0, 123456)
SIGNER = Signer(b"k" * 32)
TOKEN = Token("user", ("password",), ("audit",), NOW, NOW + datetime.timedelta(hours=1), Scope(project_id="p"))


@pytest.mark.parametrize("scope", [Scope(), Scope(project_id="p"), Scope(domain_id="d"), Scope(system=True)])
def test_a_token_reads_back_as_it_was(scope):
    token = Token("user", ("password", "token"), ("a", "b"), NOW, NOW, scope)
    assert SIGNER.read(SIGNER.sign(token)) == token


def test_another_key_does_not_fit():
    with pytest.raises(BadToken):
        Signer(b"x" * 32).read(SIGNER.sign(TOKEN))


@given(st.integers(0, 10_000), st.sampled_from("Aa0._-\u00e9\n"))
def test_no_change_of_one_character_passes(position, character):
    text = SIGNER.sign(TOKEN)
    position %= len(text)
    changed = text[:position] + character + text[position + 1 :]
    if changed != text:
        with pytest.raises(BadToken):
            SIGNER.read(changed)


@given(st.text())
def test_no_text_breaks_the_reader(text):
    with pytest.raises(BadToken):
        SIGNER.read(text)


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        Signer(b"short")


def test_passwords_match_their_hash_only():
    stored = passwords.hashed("right")
    assert passwords.matches("right", stored) and not passwords.matches("wrong", stored)
    assert stored != passwords.hashed("right")
    assert not passwords.matches("", passwords.NOBODY)
    assert not passwords.matches("x" * 100_000, stored)


def test_a_login_costs_less_than_30_ms():
    stored = passwords.hashed("right")

    def once() -> float:
        start = time.thread_time()
        passwords.matches("right", stored)
        return time.thread_time() - start

    assert min(once() for _ in range(5)) < 0.03


@pytest.mark.parametrize("stored", ["", "plain", "$2b$04$abc", "$scrypt$1$2$3$x", "$scrypt$99999999$8$1$AA==$AA=="])
def test_what_is_no_hash_of_ours_is_said(stored):
    with pytest.raises(ValueError):
        passwords.check_stored(stored)


def test_the_throttle_forgets_after_the_window_and_after_success():
    now = [0.0]
    throttle = Throttle(2, 60, lambda: now[0])
    for _ in range(2):
        throttle.check("a")
        throttle.failed("a")
    with pytest.raises(wsgi.TooManyRequests) as caught:
        throttle.check("a")
    assert caught.value.facts["retry_after_s"] == 61
    throttle.check("b")
    now[0] = 60.0
    throttle.check("a")
    throttle.failed("a")
    throttle.check("a")
    throttle.failed("a")
    throttle.succeeded("a")
    throttle.check("a")


def test_the_throttle_does_not_grow():
    throttle = Throttle(2, 60)
    size = len(throttle._failures)
    for i in range(5000):
        throttle.failed(f"name {i}")
    assert len(throttle._failures) == size


def test_revocations_are_kept_and_forgotten_when_they_no_longer_matter(tmp_path, monkeypatch):
    path = tmp_path / "revoked.json"
    first = Revocations(path)
    monkeypatch.setattr("nova_lite.clock.utcnow", lambda: NOW)
    first.add("old", NOW)
    first.add("new", NOW + datetime.timedelta(days=30))
    assert "old" in Revocations(path)
    monkeypatch.setattr("nova_lite.clock.utcnow", lambda: NOW + datetime.timedelta(days=3))
    first.add("third", NOW + datetime.timedelta(days=30))
    again = Revocations(path)
    assert "old" not in again and "new" in again and "third" in again
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_broken_list_of_revocations_stops_the_start(tmp_path):
    path = tmp_path / "revoked.json"
    path.write_text('{"x": 1}')
    with pytest.raises(exception.ConfigInvalid):
        Revocations(path)
