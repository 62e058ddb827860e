"""Which driver a host gets where there is no libvirt."""

from __future__ import annotations

import importlib
import pathlib
import re
import types
from typing import Any

import pytest
from oslo_config import cfg

from nova_lite import exception
from nova_lite.conf import compute, default, fake_driver
from nova_lite.virt import loader
from nova_lite.virt.fake import FakeDriver


@pytest.fixture
def conf(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> cfg.ConfigOpts:
    """A host whose libvirt does not answer."""

    def absent(*args: Any) -> None:
        raise exception.HypervisorUnavailable(host="host1")

    real = importlib.import_module
    broken = types.SimpleNamespace(load=absent)
    monkeypatch.setattr(
        importlib, "import_module", lambda name: broken if name.endswith("libvirt.driver") else real(name)
    )
    found = cfg.ConfigOpts()
    for module in (compute, default, fake_driver):
        module.register(found)
    found([], default_config_files=[], default_config_dirs=[])
    found.set_override("state_path", str(tmp_path))
    return found


def test_a_host_of_its_own_never_becomes_a_fake_one_unasked(conf: cfg.ConfigOpts) -> None:
    with pytest.raises(exception.ConfigInvalid, match="libvirt cannot be used here.*set \\[compute\\] driver = fake"):
        loader.load(conf, "host1", None)


def test_the_all_in_one_falls_back(conf: cfg.ConfigOpts) -> None:
    assert isinstance(loader.load(conf, "host1", None, or_fake=True), FakeDriver)


def test_who_asks_for_libvirt_gets_nothing_else(conf: cfg.ConfigOpts) -> None:
    conf.set_override("driver", "libvirt", group="compute")
    with pytest.raises(exception.ConfigInvalid, match="driver = libvirt, but"):
        loader.load(conf, "host1", None, or_fake=True)


def test_who_asks_for_a_fake_host_gets_it(conf: cfg.ConfigOpts) -> None:
    conf.set_override("driver", "fake", group="compute")
    assert isinstance(loader.load(conf, "host1", None), FakeDriver)


@pytest.mark.parametrize(("option", "value"), [("delays", {"spawnn": "8"}), ("faults", ["spawnn:raise"])])
def test_a_call_that_the_fake_driver_does_not_have_is_refused(conf: cfg.ConfigOpts, option: str, value: Any) -> None:
    conf.set_override("driver", "fake", group="compute")
    conf.set_override(option, value, group="fake_driver")
    with pytest.raises(exception.ConfigInvalid, match="no call spawnn"):
        loader.load(conf, "host1", None)


def test_every_call_that_can_strike_may_be_named() -> None:
    folder = pathlib.Path(str(importlib.import_module("nova_lite.virt.fake").__file__)).parent
    struck = {name for file in folder.glob("*.py") for name in re.findall(r'strike\("(\w+)"', file.read_text())}
    assert "spawn" in struck
    assert struck - loader._calls(FakeDriver) == set()
