"""Limits: the project's own, else the default class's, else [quota]."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from oslo_config import cfg

from nova_lite import exception, quota
from nova_lite.conf import quota as options
from nova_lite.db.api import instances, quotas, user_quotas
from tests.harness.database import fresh_database, make_instance


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


def test_room_is_what_the_scarcest_resource_leaves(conf: cfg.ConfigOpts) -> None:
    each = {"instances": 1, "cores": 8, "ram": 0}
    assert quota.room("p", each, 1, 100, conf) == 2
    quota.reserve("p", {"instances": 1, "cores": 5}, conf)
    assert quota.room("p", each, 1, 100, conf) == 1
    with pytest.raises(exception.OverQuota, match="Requested 80, 10, but already used 5, 1 of 20, 10 cores, instances"):
        quota.room("p", each, 2, 10, conf)
    conf.set_override("cores", -1, group="quota")
    conf.set_override("instances", -1, group="quota")
    assert quota.room("p", each, 1, 10**30, conf) == 10**30


def test_reserve_and_release(conf: cfg.ConfigOpts) -> None:
    quota.reserve("p", {"instances": 10, "cores": 20}, conf)
    with pytest.raises(exception.OverQuota, match="Requested 1, but already used 10 of 10 instances"):
        quota.reserve("p", {"instances": 1}, conf)
    assert quota.usage("p") == {"instances": 10, "cores": 20, "ram": 0}
    quota.release("p", {"instances": 1})
    quota.reserve("p", {"instances": 1}, conf)


def test_a_users_limit_holds_beside_the_projects(conf: cfg.ConfigOpts) -> None:
    each = {"instances": 1, "cores": 1, "ram": 512}
    instances.insert(make_instance(project_id="p", user_id="ann"))
    quota.reserve("p", each, conf, user_id="ann")
    user_quotas.set_limit("p", "ann", "instances", 2)
    assert quota.limits("p", conf, "ann")["instances"] == 2 and quota.limits("p", conf, "bob")["instances"] == 10
    assert quota.room("p", each, 1, 5, conf, user_id="ann") == 1
    assert quota.room("p", each, 1, 5, conf, user_id="bob") == 5
    with pytest.raises(exception.OverQuota, match="but already used 1 of 2 instances"):
        quota.room("p", each, 2, 2, conf, user_id="ann")
    with pytest.raises(exception.OverQuota, match="but already used 1 of 2 instances"):
        quota.reserve("p", {"instances": 2}, conf, user_id="ann")
    assert quota.usage("p")["instances"] == quota.usage("p", "ann")["instances"] == 1, "nothing was counted"
