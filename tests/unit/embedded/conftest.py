"""A configuration of its own per test, with all state in the test's directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from oslo_config import cfg

from nova_lite.conf import embedded


@pytest.fixture
def make_conf(tmp_path: Path) -> Callable[..., cfg.ConfigOpts]:
    def make(**options: object) -> cfg.ConfigOpts:
        conf = cfg.ConfigOpts()
        conf([])
        conf.register_opts([cfg.StrOpt("state_path", default=str(tmp_path)), cfg.PortOpt("osapi_compute_listen_port")])
        conf.set_override("osapi_compute_listen_port", 8774)
        embedded.register(conf)
        for name, value in options.items():
            conf.set_override(name, value, embedded.GROUP)
        return conf

    return make


@pytest.fixture
def conf(make_conf: Callable[..., cfg.ConfigOpts]) -> cfg.ConfigOpts:
    return make_conf()
