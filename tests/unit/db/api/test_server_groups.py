"""Groups and where their members are: claims say it, those of moves as well."""

from __future__ import annotations

import pytest

from nova_lite import exception
from nova_lite.db.api import allocations, compute_nodes, instances, migrations, quotas, server_groups, user_quotas
from nova_lite.objects import GroupRule, Migration, MigrationStatus, MigrationType, ServerGroup
from tests.harness.builders import make_node, uuid_of
from tests.harness.database import make_instance, statements

pytestmark = pytest.mark.usefixtures("database")

GROUP = uuid_of("group")


def _group(policy: str = "anti-affinity", uuid: str = GROUP, project_id: str = "project", **rules: int) -> ServerGroup:
    group = ServerGroup(uuid, project_id, "user", "g", policy, rules)
    server_groups.create(group, {})
    return group


def _member(name: str, host: str | None, **values: object) -> str:
    uuid = instances.insert(make_instance(name, server_group=GROUP, host=host, **values)).uuid
    if host is not None:
        assert allocations.claim(_node(host), uuid, 1, 10, 1)
    return uuid


def _node(host: str) -> str:
    return compute_nodes.upsert(make_node(host)).uuid


def test_what_is_written_is_read_again() -> None:
    group = _group(max_server_per_host=3)
    first, second = _member("first", "a"), _member("second", None)
    gone = _member("gone", "b")
    instances.tombstone(gone)
    with statements() as seen:
        assert server_groups.get(GROUP) == group.replace(members=(first, second))
    assert len(seen) == 2
    for missing in (lambda: server_groups.get("x"), lambda: server_groups.get(GROUP, project_id="other")):
        with pytest.raises(exception.ServerGroupNotFound):
            missing()


def test_pages_are_two_statements_however_many() -> None:
    for number in range(5):
        _group(uuid=uuid_of(f"g{number}"), project_id="p" if number % 2 else "q")
    with statements() as seen:
        assert [each.uuid for each in server_groups.list("p", 10)] == [uuid_of("g1"), uuid_of("g3")]
    assert len(seen) == 2
    assert [each.uuid for each in server_groups.list(None, 2, 3)] == [uuid_of("g3"), uuid_of("g4")]


def test_the_rule_knows_where_the_others_are() -> None:
    _group(max_server_per_host=2)
    one, two = _member("one", "a"), _member("two", "a")
    three = _member("three", None)
    gone = _member("gone", "b")
    instances.tombstone(gone)
    assert server_groups.rule(GROUP, besides=three) == GroupRule(GROUP, "anti-affinity", 2, {"a": 2})
    assert server_groups.rule(GROUP, besides=one) == GroupRule(GROUP, "anti-affinity", 2, {"a": 1})
    assert not server_groups.may_stand(GROUP, three, "a")
    assert server_groups.may_stand(GROUP, two, "a") and server_groups.may_stand(GROUP, three, "b")
    assert server_groups.rule(None, besides=one) is None
    server_groups.destroy(GROUP)
    assert server_groups.rule(GROUP, besides=one) is None and server_groups.may_stand(GROUP, three, "a")
    assert instances.get(one).server_group is None


def test_a_move_holds_both_its_hosts() -> None:
    _group()
    mover, other = _member("mover", "a"), _member("other", None)
    move = migrations.create(
        Migration(uuid_of("move"), mover, MigrationType.RESIZE, MigrationStatus.FINISHED, source_compute="a")
    )
    allocations.release(mover)
    assert allocations.claim(_node("a"), move.uuid, 1, 10, 1) and allocations.claim(_node("b"), mover, 1, 10, 1)
    rule = server_groups.rule(GROUP, besides=other)
    assert rule is not None and rule.hosts == {"a": 1, "b": 1}
    assert server_groups.rule(GROUP, besides=mover) == GroupRule(GROUP, "anti-affinity")


def test_groups_and_members_are_counted() -> None:
    _group()
    with pytest.raises(exception.OverQuota, match="Quota exceeded, too many server groups."):
        server_groups.create(ServerGroup("x", "project", "u", "g", "affinity"), {"server_groups": 1})
    user_quotas.set_limit("project", "user", "server_groups", 1)
    with pytest.raises(exception.OverQuota):
        server_groups.create(ServerGroup("x", "project", "user", "g", "affinity"), {"server_groups": 9})
    server_groups.create(ServerGroup("x", "project", "u", "g", "affinity"), {"server_groups": 9})
    _member("one", None)
    _member("of another user", None, user_id="else")
    server_groups.admit(GROUP, "user", 1, {"server_group_members": 2})
    with pytest.raises(exception.OverQuota, match="Quota exceeded, too many servers in group"):
        server_groups.admit(GROUP, "user", 2, {"server_group_members": 2})
    server_groups.admit(GROUP, "user", 99, {"server_group_members": -1})
    assert "server_groups" not in {each.resource for each in quotas.audit()}
    for uuid in (GROUP, "x"):
        server_groups.destroy(uuid)
    with pytest.raises(exception.ServerGroupNotFound):
        server_groups.admit(GROUP, "user", 1, {"server_group_members": 2})
    assert quotas.usage(quotas.PROJECT, "project")["server_groups"] == 0
