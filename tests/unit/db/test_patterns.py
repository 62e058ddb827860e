"""Regular expressions from clients: what passes takes bounded time, what does not is refused."""

from __future__ import annotations

import time

import pytest

from nova_lite.db import patterns
from nova_lite.exception import Invalid


@pytest.mark.parametrize(
    "pattern",
    ["web", "^vm-[0-9]+$", "a|b", "10.0.0.*", r"\bx\b", "(ab)?c", "a{1,3}", "(a){2,}", ".*.*", "(web|db)-[0-9]{2}", ""],
)
def test_harmless_patterns_pass(pattern: str) -> None:
    assert patterns.checked(pattern) == pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a*)*b",
        "(a|aa)+$",
        "(.*a){20}",
        "(a?){25}a{25}",
        "a?" * 7,
        "a*b*c*",
        ".*.*.*x",
        "(ab){2,}",
        "((a{9}){9}){9}",
        "(a{1,99}){1,99}",
        "(x|y1|z)" * 7,
        r"(a)\1",
        "(?=a)",
        "(?<!a)b",
        "(?i)a",
        "(?P<n>a)(?(n)b|c)",
        "[",
        "(",
        "*",
        "a{2,1}",
        "a" * 256,
        "a\x00b",
        "(" * 200 + ")" * 200 + "[",
    ],
)
def test_dangerous_and_broken_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(Invalid):
        patterns.checked(pattern)


def test_the_worst_that_passes_is_quick() -> None:
    patterns.start_budget(60)
    start = time.perf_counter()
    patterns.sqlite_regexp(".*.*x", "a" * patterns.MAX_LENGTH)
    patterns.sqlite_regexp("a?a?a?a?a?a?" + "a" * 6 + "[^x]*x", "a" * patterns.MAX_LENGTH)
    assert time.perf_counter() - start < 1


def test_the_budget_ends() -> None:
    patterns.start_budget(0)
    with pytest.raises(patterns.TooSlow):
        patterns.sqlite_regexp("a.", "ab")
    patterns.start_budget()
    assert patterns.sqlite_regexp("a.", "ab") is True


@pytest.mark.parametrize(
    ("pattern", "value", "found"),
    [
        ("b.", "abc", True),
        ("^b", "abc", False),
        ("^b", "a\nbc", True),
        ("a$", "a\nbc", True),
        (None, "a", None),
        ("a", None, None),
    ],
)
def test_matches_anywhere_and_at_lines(pattern: str | None, value: str | None, found: bool | None) -> None:
    patterns.start_budget()
    assert patterns.sqlite_regexp(pattern, value) is found


def test_plain() -> None:
    assert patterns.is_plain("web-1 it's 100%_")
    assert not patterns.is_plain("10.0.0.1")
