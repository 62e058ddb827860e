"""String formats of the schemas."""

from __future__ import annotations

import datetime

import pytest

from nova_lite.api.openstack import formats


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("9658482f-2fb5-5e58-abed-321eb028e43d", True),
        ("9658482F-2FB5-5E58-ABED-321EB028E43D", True),
        ("9658482f2fb55e58abed321eb028e43d", True),
        ("9658482f", False),
        ("", False),
        ("zz58482f-2fb5-5e58-abed-321eb028e43d", False),
        ("9658482f-2fb5-5e58-abed-321eb028e43d\n", False),
    ],
)
def test_uuid(text: str, good: bool) -> None:
    assert formats.is_uuid(text) is good


@pytest.mark.parametrize(
    ("text", "v4", "v6"),
    [
        ("1.2.3.4", True, False),
        ("fe80::1", False, True),
        ("1.2.3", False, False),
        ("", False, False),
        ("x", False, False),
    ],
)
def test_addresses(text: str, v4: bool, v6: bool) -> None:
    assert (formats.is_ipv4(text), formats.is_ipv6(text)) == (v4, v6)


@pytest.mark.parametrize(
    ("text", "good"), [("", True), ("aGk=", True), ("aG\n k=", True), ("aGk", False), ("!", False), ("é", False)]
)
def test_base64(text: str, good: bool) -> None:
    assert formats.is_base64(text) is good


@pytest.mark.parametrize("text", ["a", "a b", "日本", "é" * 255, "a\u3000b"])
def test_names(text: str) -> None:
    assert formats.is_name(text)


@pytest.mark.parametrize("text", [" ", " a", "a ", "a\tb", "a\x00", "a\u2028b", "a\x85b", "\u200b", "\ue000"])
def test_names_refused(text: str) -> None:
    with pytest.raises(formats.InvalidName, match="printable characters"):
        formats.is_name(text)


def test_loose_names_may_have_blanks_around() -> None:
    assert formats.is_loose_name(" a ")
    with pytest.raises(formats.InvalidName):
        formats.is_loose_name("  ")


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-11-20T12:00:00Z", 12),
        ("2026-11-20T12:00:00+02:00", 10),
        ("2026-11-20T12:00:00.123456Z", 12),
        ("2026-11-20T12:00:00", 12),
    ],
)
def test_times_become_naive_utc(text: str, hour: int) -> None:
    parsed = formats.parse_time(text)
    assert parsed.tzinfo is None
    assert parsed.replace(microsecond=0) == datetime.datetime(2026, 11, 20, hour)


@pytest.mark.parametrize("text", ["x", "", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+23:00", "99999-01-01"])
def test_what_is_no_time(text: str) -> None:
    assert not formats.is_date_time(text)
