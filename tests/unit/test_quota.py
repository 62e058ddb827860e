"""Limits: the project's own, else the default class's, else [quota]."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from oslo_config import cfg

from nova_lite import exception, quota
from nova_lite.conf import quota as options
from nova_lite.db.api import quotas
from tests.harness.database import fresh_database


@pytest.fixture
def conf() -> Iterator[cfg.ConfigOpts]:
    with fresh_database():
        conf = cfg.ConfigOpts()
        options.register(conf)
        conf([])
        yield conf


def test_configured_limits_and_those_before_them(conf: cfg.ConfigOpts) -> None:
    conf.set_override("cores", 3, group="quota")
    quotas.set_class_limit("ram", 4)
    quotas.set_limit("p", "ram", 5)
    assert (quota.limits("p", conf)["cores"], quota.limits("p", conf)["ram"], quota.limits("q", conf)["ram"]) == (
        3,
        5,
        4,
    )
    assert quota.limits("q", conf)["key_pairs"] == 100


def test_reserve_and_release(conf: cfg.ConfigOpts) -> None:
    quota.reserve("p", {"instances": 10, "cores": 20}, conf)
    with pytest.raises(exception.OverQuota, match="Requested 1, but already used 10 of 10 instances"):
        quota.reserve("p", {"instances": 1}, conf)
    assert quota.usage("p") == {"instances": 10, "cores": 20, "ram": 0}
    quota.release("p", {"instances": 1})
    quota.reserve("p", {"instances": 1}, conf)
