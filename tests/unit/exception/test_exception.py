"""The tree of errors: kinds, sentences, and what its own docstring draws of it."""

from __future__ import annotations

import pickle
import re
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.exception import NovaLiteError


def _all(cls: type[NovaLiteError] = NovaLiteError) -> list[type[NovaLiteError]]:
    return [cls, *(each for child in cls.__subclasses__() for each in _all(child))]


# The kinds as the contract numbers them (states.md, section 3).
KINDS = {
    "Invalid": (400, "badRequest"), "Unauthorized": (401, "unauthorized"), "Forbidden": (403, "forbidden"),
    "NotFound": (404, "itemNotFound"), "NotAcceptable": (406, "computeFault"),
    "Conflict": (409, "conflictingRequest"), "Gone": (410, "computeFault"), "TooLarge": (413, "overLimit"),
    "UnsupportedMedia": (415, "badMediaType"), "NotSupported": (501, "notImplemented"),
    "Unavailable": (503, "serviceUnavailable"), "NovaLiteError": (500, "computeFault"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "expected"), KINDS.items())
def test_kinds_carry_the_http_meaning(name: str, expected: tuple[int, str]) -> None:
    cls = getattr(exception, name)
    assert (cls.status, cls.key) == expected


OURS = [cls for cls in _all() if cls.__module__.startswith("nova_lite.exception.")]


def test_every_error_has_its_name_in_the_package() -> None:
    assert [cls.__name__ for cls in OURS if getattr(exception, cls.__name__, None) is not cls] == []


@pytest.mark.parametrize("cls", OURS, ids=lambda cls: cls.__name__)
def test_every_error_is_of_a_kind_speaks_and_travels(cls: type[NovaLiteError]) -> None:
    assert (cls.status, cls.key) in KINDS.values()
    facts: dict[str, Any] = dict.fromkeys(re.findall(r"%\((\w+)\)", cls.sentence), 7)
    error = cls(**facts)
    assert "%(" not in str(error) and str(error)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  (our own bytes)
    assert (type(again), str(again), again.facts) == (cls, str(error), facts)


def test_a_message_of_its_own_keeps_the_facts() -> None:
    error = exception.InstanceNotFound("gone", instance_uuid="u")
    assert (str(error), error.facts) == ("gone", {"instance_uuid": "u"})


def test_the_drawn_tree_is_the_tree() -> None:
    drawn = re.findall(r"(?:\|--|`--) (\w+)", exception.__doc__ or "")
    assert drawn and all(issubclass(getattr(exception, name), NovaLiteError) for name in drawn)
    kinds = [cls.__name__ for cls in NovaLiteError.__subclasses__() if cls.__name__ in KINDS]
    assert set(kinds) <= set(drawn)
