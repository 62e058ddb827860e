"""The file beside a host's guests: whose they are, and how far the cloud had come."""

from __future__ import annotations

import json
import os
import pathlib

import pytest

from nova_lite import exception
from nova_lite import identity_file as identity
from nova_lite.identity_file import IdentityFile
from nova_lite.objects import HostIdentity


def _kept(directory: pathlib.Path) -> HostIdentity:
    return HostIdentity.from_primitive(json.loads((directory / "compute_id").read_text()))


def test_a_host_without_a_file_gets_an_identity_before_anybody_hears_of_it(tmp_path: pathlib.Path) -> None:
    made = IdentityFile("h", tmp_path / "state").load()
    assert made is not None and (made.host, made.cloud) == ("h", "")
    assert _kept(tmp_path / "state") == made == IdentityFile("h", tmp_path / "state").load()
    assert os.stat(tmp_path / "state" / "compute_id").st_mode & 0o777 == 0o600


def test_what_is_kept_is_found_again(tmp_path: pathlib.Path) -> None:
    kept = HostIdentity("u", "h", "cloud", 12, 3)
    IdentityFile("h", tmp_path).keep(kept)
    assert IdentityFile("h", tmp_path).load() == kept
    assert [path.name for path in tmp_path.iterdir()] == ["compute_id"]


def test_a_renamed_host_is_refused_and_its_file_stays(tmp_path: pathlib.Path) -> None:
    kept = IdentityFile("old", tmp_path).load()
    with pytest.raises(exception.HostRefused, match="those of host 'old'.*is host 'new'.*doc/admin/host-identity"):
        IdentityFile("new", tmp_path).load()
    assert _kept(tmp_path) == kept


@pytest.mark.parametrize("text", ["", "{", "[]", '{"nova_lite": "Flavor", "version": "1.0", "data": {}}', "{}"])
def test_a_damaged_file_is_no_new_host(tmp_path: pathlib.Path, text: str) -> None:
    (tmp_path / "compute_id").write_text(text)
    with pytest.raises(exception.HostRefused, match="cannot be read"):
        IdentityFile("h", tmp_path).load()
    assert (tmp_path / "compute_id").read_text() == text


def test_a_file_that_cannot_be_written_is_said(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(exception.HostRefused, match="cannot be written"):
        IdentityFile("h", tmp_path / "file").keep(HostIdentity("u", "h", "c"))


def test_heartbeats_are_remembered_now_and_then(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = [1000.0]
    monkeypatch.setattr(identity, "monotonic", lambda: at[0])
    file = IdentityFile("h", tmp_path)
    file.keep(HostIdentity("u", "h", "c", beats=5))
    assert file.saw(6, 5) is None and _kept(tmp_path).beats == 5
    at[0] += identity.KEEP_EVERY_S
    assert file.saw(7, 6) is None and _kept(tmp_path).beats == 7
    assert file.saw(8, 7) is None
    file.remember()
    assert _kept(tmp_path).beats == 8
    assert "older copy" in str(file.saw(3, 8))
    assert file.saw(8, 7) is None


CLOUDS = "4b1c7a52-0d0e-4e7e-9f7a-3f1f3c1d2a10"


def test_a_daemon_that_is_killed_has_noted_its_last_heartbeat_and_no_heartbeat_waits_for_the_disk(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    IdentityFile("h", tmp_path).keep(HostIdentity(CLOUDS, "h", "c", beats=5, mark=2))
    running = IdentityFile("h", tmp_path)
    running.keep(HostIdentity(CLOUDS, "h", "c", beats=5, mark=2))
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    assert [running.saw(beats, beats - 1) for beats in (6, 7, 8)] == [None] * 3
    assert synced == [] and _kept(tmp_path).beats == 5
    # Nobody said goodbye: the next life reads what lies there.
    assert IdentityFile("h", tmp_path).load() == HostIdentity(CLOUDS, "h", "c", beats=8, mark=2)
    assert os.stat(tmp_path / "compute_id.beats").st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", [None, "", "\0" * 58, f"{CLOUDS} {'9' * 19}", f"{CLOUDS} {9:020d}", "\u00e9" * 58])
def test_a_count_that_is_lost_or_damaged_costs_nothing_but_itself(
    tmp_path: pathlib.Path, text: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "monotonic", lambda: 0.0)
    IdentityFile("h", tmp_path).keep(HostIdentity(CLOUDS, "h", "c", beats=5))
    if text is not None:
        (tmp_path / "compute_id.beats").write_text(text)
    file = IdentityFile("h", tmp_path)
    assert file.load() == HostIdentity(CLOUDS, "h", "c", beats=5)
    assert file.saw(6, 5) is None
    found = IdentityFile("h", tmp_path).load()
    assert found is not None and found.beats == 6
    assert _kept(tmp_path).beats == 5


def test_who_gives_up_an_identity_gives_up_its_count(tmp_path: pathlib.Path) -> None:
    """As after a restored backup: the operator removes compute_id, and nothing else."""
    file = IdentityFile("h", tmp_path)
    file.load()
    file.saw(7, 6)
    (tmp_path / "compute_id").unlink()
    made = IdentityFile("h", tmp_path).load()
    assert made is not None and made.beats == 0


def test_a_count_that_cannot_be_written_is_said_once_and_stops_nothing(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = IdentityFile("h", tmp_path)
    file.keep(HostIdentity(CLOUDS, "h", "c", beats=5))
    (tmp_path / "compute_id.beats").mkdir()
    assert [file.saw(beats, 5) for beats in (6, 7)] == [None, None]
    assert caplog.text.count("cannot be noted") == 1
    (tmp_path / "compute_id.beats").rmdir()
    assert file.saw(8, 7) is None
    found = IdentityFile("h", tmp_path).load()
    assert found is not None and found.beats == 8


def test_answers_to_two_heartbeats_may_overtake_each_other(tmp_path: pathlib.Path) -> None:
    """A worker that asks for its lease and the periodic heartbeat are both under way; the later is answered first."""
    file = IdentityFile("h", tmp_path)
    file.keep(HostIdentity("u", "h", "c", beats=18))
    first, second = file.beats, file.beats
    assert file.saw(20, second) is None and file.saw(19, first) is None
    assert file.beats == 20


def test_a_host_that_keeps_no_guests_has_no_identity() -> None:
    file = IdentityFile("h", None)
    assert file.load() is None and file.saw(1, 0) is None
    file.remember()
