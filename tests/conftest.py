"""Every test carries the marker of the folder it lies in; the environment chooses the concurrency backend."""

from __future__ import annotations

import logging
import os
import pathlib

import pytest
from oslo_config import cfg

from nova_lite import concurrency

if os.environ.get("NOVA_LITE_CONCURRENCY_BACKEND") == "eventlet":
    concurrency.patch()

TESTS = pathlib.Path(__file__).resolve().parent
TIERS = ("unit", "contracts", "functional", "faults", "integration")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """A token check that was loaded before in this process calls its auth_url required: fixtures of any scope parse."""
    group = cfg.CONF._groups.get("keystone_authtoken")
    if group is not None and "auth_url" in group._opts:
        cfg.CONF.set_default("auth_url", "http://identity.invalid", group="keystone_authtoken")


@pytest.fixture(autouse=True)
def parsed_configuration() -> None:
    """The process's configuration is parsed, whatever came before in this process: a cloud that ended resets it."""
    if cfg.CONF._namespace is None:
        cfg.CONF([], project="nova-lite", default_config_files=[], default_config_dirs=[])


@pytest.fixture(autouse=True)
def heard_loggers() -> None:
    """What we log can be heard: a daemon that configures logging silences the loggers it does not name."""
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if name.startswith("nova_lite") and isinstance(logger, logging.Logger):
            logger.disabled, logger.propagate = False, True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """tests/<tier>/... gets the marker <tier>."""
    for item in items:
        tier = item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""
        if tier in TIERS:
            item.add_marker(tier)
