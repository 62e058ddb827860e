"""Regular expressions from clients: only such whose cost is bounded, and SQLite's REGEXP to match them.

A backtracking engine needs exponential time for ``(a+)+$``. What passes here repeats single characters only, a few
times a pattern, so that every engine (Python's, PCRE, PostgreSQL's) answers in polynomial time; a statement that
matches has a time budget besides. Source: SECURITY S14, OSSA-2014-038.
"""

from __future__ import annotations

import functools
import re
import threading
import time
from typing import Any

from nova_lite.exception import Invalid

# the parser of the standard library itself: public as sre_parse until 3.11, under this name since
from re import _constants as sre  # type: ignore[attr-defined] # isort: skip
from re import _parser as sre_parser  # type: ignore[attr-defined] # isort: skip

MAX_LENGTH = 255
MAX_LONG_REPEATS = 2
MAX_SHORT_REPEATS = 6
BUDGET_S = 1.0

_META = frozenset("\\.^$*+?{}[]|()")
_SINGLE = frozenset({sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN, sre.CATEGORY, sre.RANGE})
_REPEATS = frozenset({sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT})
_HARMLESS = _SINGLE | {sre.AT}
_LONG = 8  # a repeat of up to this many is short


def is_plain(pattern: str) -> bool:
    """No character of the pattern means anything but itself."""
    return not _META.intersection(pattern)


@functools.lru_cache(maxsize=512)
def checked(pattern: str) -> str:
    """The pattern, when matching it takes bounded time.

    :raises Invalid: it is no regular expression, or one that may run for ever.
    """
    if len(pattern) > MAX_LENGTH:
        raise Invalid(f"The regular expression is longer than {MAX_LENGTH} characters.")
    if "\x00" in pattern or "[[" in pattern:  # a set in a set: each engine reads it in its own way
        raise Invalid("The regular expression is invalid.")
    try:
        parsed = sre_parser.parse(pattern)
    except (re.error, RecursionError, OverflowError):
        raise Invalid("The regular expression is invalid.") from None
    if parsed.state.flags & ~re.UNICODE:
        raise Invalid("Flags inside a regular expression are not supported.")
    cost = _Cost()
    cost.walk(parsed, inside_repeat=False)
    return pattern


class _Cost:
    """Counts what makes matching slow while walking the parsed pattern."""

    def __init__(self) -> None:
        self.long = 0
        self.short = 0
        self.branches = 0

    def walk(self, parsed: Any, inside_repeat: bool) -> None:
        for code, value in parsed:
            if code in _HARMLESS:
                continue
            if code in _REPEATS:
                self._repeat(value, inside_repeat)
            elif code is sre.SUBPATTERN:
                if value[1] or value[2]:
                    raise Invalid("Flags inside a regular expression are not supported.")
                self.walk(value[3], inside_repeat)
            elif code is sre.BRANCH:
                self._branch(value[1], inside_repeat)
            else:
                raise Invalid("References, conditions and look-around are not supported in a regular expression.")

    def _repeat(self, value: Any, inside_repeat: bool) -> None:
        low, high, body = value
        items = _unwrapped(body)
        single = len(items) == 1 and items[0][0] in _SINGLE
        if inside_repeat or (not single and (low, high) != (0, 1)):
            raise Invalid("Only single characters may be repeated in a regular expression.")
        if not single:
            self.walk(items, inside_repeat=True)
        if low == high and high <= MAX_LENGTH:
            return
        if high is sre.MAXREPEAT or high > _LONG:
            self.long += 1
        else:
            self.short += 1
        if self.long > MAX_LONG_REPEATS or self.short > MAX_SHORT_REPEATS:
            raise Invalid("The regular expression repeats too much.")

    def _branch(self, ways: Any, inside_repeat: bool) -> None:
        self.branches += 1
        if self.branches > MAX_SHORT_REPEATS:
            raise Invalid("The regular expression has too many alternatives.")
        for way in ways:
            self.walk(way, inside_repeat)


def _unwrapped(body: Any) -> list[Any]:
    """A repeat's body without the groups around it."""
    items = list(body)
    while len(items) == 1 and items[0][0] is sre.SUBPATTERN and not (items[0][1][1] or items[0][1][2]):
        items = list(items[0][1][3])
    return items


# -- SQLite's REGEXP operator ---------------------------------------------------------------------

_budget = threading.local()


class TooSlow(Exception):
    """The statement's time for matching is used up."""


def start_budget(seconds: float | None = None) -> None:
    """Give this thread's next statement so much time for matching, by default BUDGET_S."""
    _budget.left = BUDGET_S if seconds is None else seconds


@functools.lru_cache(maxsize=128)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(checked(pattern), re.MULTILINE)


def sqlite_regexp(pattern: str | None, value: str | None) -> bool | None:
    """``value REGEXP pattern``, matched anywhere, ^ and $ at each line; NULL where either side is."""
    if pattern is None or value is None:
        return None
    left = getattr(_budget, "left", BUDGET_S)
    if left <= 0:
        raise TooSlow
    start = time.perf_counter()
    found = _compiled(pattern).search(str(value)) is not None
    _budget.left = left - (time.perf_counter() - start)
    return found
