"""The stand-ins by themselves: which there are, and where they listen."""

from __future__ import annotations

import pytest

from nova_lite.cmd import embedded


def test_the_services_are_named() -> None:
    assert embedded.parser().parse_args(["network", "volume"]).services == ["network", "volume"]


@pytest.mark.parametrize("words", [[], ["identity"], ["network", "nonsense"]])
def test_others_are_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        embedded.parser().parse_args(words)
    assert caught.value.code == 2
