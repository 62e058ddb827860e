"""What single users may have within a project."""

from __future__ import annotations

import pytest

from nova_lite import exception
from nova_lite.db.api import instances, user_quotas
from tests.harness.database import make_instance

pytestmark = pytest.mark.usefixtures("database")


def test_limits_are_set_summed_and_forgotten() -> None:
    user_quotas.set_limit("p", "ann", "cores", 5)
    user_quotas.set_limit("p", "ann", "cores", 6)
    user_quotas.set_limit("p", "bob", "cores", 7)
    user_quotas.set_limit("p", "bob", "ram", -1)
    user_quotas.set_limit("q", "ann", "cores", 9)
    assert user_quotas.limits("p", "ann") == {"cores": 6} and user_quotas.sums("p") == {"cores": 13}
    user_quotas.forget("p", "ann")
    assert user_quotas.limits("p", "ann") == {} and user_quotas.sums("p") == {"cores": 7}
    user_quotas.forget("p")
    assert user_quotas.sums("p") == {} and user_quotas.sums("q") == {"cores": 9}


def test_what_a_user_uses_is_counted() -> None:
    instances.insert(make_instance(user_id="ann"))
    instances.insert(make_instance("other", user_id="ann", project_id="other"))
    assert user_quotas.usage("project", "ann") == {
        "instances": 1, "cores": 1, "ram": 512, "server_groups": 0,
    }  # fmt: skip
    user_quotas.set_limit("project", "ann", "instances", 2)
    user_quotas.check("project", "ann", {"instances": 1, "cores": 100})
    user_quotas.check("project", "bob", {"instances": 100})
    with pytest.raises(exception.OverQuota, match="Requested 2, but already used 1 of 2 instances"):
        user_quotas.check("project", "ann", {"instances": 2, "cores": 100})
