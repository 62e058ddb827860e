"""Guard rows: all or none, Nova's sentence, equal to what exists."""

from __future__ import annotations

import pytest

from nova_lite import exception
from nova_lite.db import session
from nova_lite.db.api import instances, quotas
from tests.harness.builders import make_flavor
from tests.harness.database import make_instance, statements

pytestmark = pytest.mark.usefixtures("database")
P = quotas.PROJECT


def test_up_to_the_limit_and_no_further() -> None:
    quotas.reserve(P, "p", {"cores": 3, "instances": 1}, {"cores": 4, "instances": 9})
    with pytest.raises(exception.OverQuota):
        quotas.reserve(P, "p", {"cores": 2, "instances": 1}, {"cores": 4, "instances": 9})
    assert quotas.usage(P, "p") == {"cores": 3, "instances": 1}
    quotas.reserve(P, "p", {"cores": 1}, {"cores": 4})
    assert quotas.usage(P, "p")["cores"] == 4
    assert quotas.usage(P, "other") == quotas.usage(quotas.USER, "p") == {}


def test_novas_sentence() -> None:
    limits = {"cores": 20, "instances": 10, "ram": 51200}
    quotas.reserve(P, "p", {"ram": 1536, "cores": 3, "instances": 3}, limits)
    with pytest.raises(exception.OverQuota) as caught:
        quotas.reserve(P, "p", {"instances": 100, "ram": 51200, "cores": 100}, limits)
    assert caught.value.message == (
        "Quota exceeded for cores, instances, ram: Requested 100, 100, 51200, but already used 3, 3, 1536 of "
        "20, 10, 51200 cores, instances, ram"
    )
    with pytest.raises(exception.OverQuota, match="for cores: Requested 100, but already used 3 of 20 cores"):
        quotas.reserve(P, "p", {"instances": 1, "cores": 100}, limits)


def test_unlimited_is_counted_all_the_same() -> None:
    quotas.reserve(P, "p", {"cores": 1000, "ram": 5}, {"cores": -1})
    assert quotas.usage(P, "p") == {"cores": 1000, "ram": 5}


def test_nothing_asked_is_nothing_done() -> None:
    with statements() as seen:
        quotas.reserve(P, "p", {"cores": 0}, {"cores": 0})
        quotas.release(P, "p", {})
    assert seen == []


def test_a_reservation_is_undone_with_its_transaction() -> None:
    with pytest.raises(KeyError), session.writer():
        quotas.reserve(P, "p", {"cores": 1}, {})
        raise KeyError
    assert quotas.usage(P, "p").get("cores", 0) == 0


def test_release_never_goes_below_zero() -> None:
    quotas.reserve(P, "p", {"cores": 2, "ram": 5}, {})
    quotas.release(P, "p", {"cores": 3, "ram": 1, "instances": 1})
    assert quotas.usage(P, "p") == {"cores": 0, "ram": 4, "instances": 0}


def test_audit_and_repair() -> None:
    assert quotas.audit() == []
    for name in ("a", "b"):
        instances.insert(make_instance(name, flavor=make_flavor("f", vcpus=2, memory_mb=100)))
    instances.tombstone(instances.insert(make_instance("gone")).uuid)
    quotas.reserve(P, "project", {"instances": 2, "cores": 5}, {})
    quotas.reserve(P, "empty", {"instances": 1}, {})
    wrong = [
        quotas.Mismatch(P, "empty", "instances", 1, 0),
        quotas.Mismatch(P, "project", "cores", 5, 4),
        quotas.Mismatch(P, "project", "ram", 0, 200),
    ]
    assert quotas.audit() == wrong
    assert quotas.repair() == wrong
    assert quotas.audit() == []
    assert quotas.usage(P, "project") == {"instances": 2, "cores": 4, "ram": 200}


def test_limits_of_class_and_project() -> None:
    assert quotas.overrides("p") == {}
    quotas.set_class_limit("cores", 5)
    quotas.set_class_limit("ram", 7)
    quotas.set_class_limit("ram", 8, class_name="another")
    quotas.set_limit("p", "cores", 50)
    quotas.set_limit("p", "cores", -1)
    assert quotas.overrides("p") == {"cores": -1, "ram": 7}
    assert quotas.overrides("q") == {"cores": 5, "ram": 7}
    quotas.forget_limits("p")
    assert quotas.overrides("p") == quotas.overrides("q")
