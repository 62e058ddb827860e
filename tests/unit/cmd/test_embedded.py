"""The stand-ins by themselves: which there are, and where they listen."""

from __future__ import annotations

import pytest

from nova_lite.cmd import embedded


def test_the_services_are_named() -> None:
    assert embedded.parser().parse_args(["--service", "network", "--service=volume"]).services == ["network", "volume"]


def test_options_of_oslo_config_are_left_to_it() -> None:
    flags, rest = embedded.parser().parse_known_args(["--config-file", "x", "--service=image", "--debug"])
    assert (flags.services, rest) == (["image"], ["--config-file", "x", "--debug"])


@pytest.mark.parametrize("words", [[], ["--service", "identity"], ["--service=network", "--service=x"]])
def test_others_are_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        embedded.parser().parse_args(words)
    assert caught.value.code == 2
