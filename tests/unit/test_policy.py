"""The compiled rules answer as oslo.policy's Enforcer does, and follow the site's file."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oslo_config import cfg

from nova_lite import exception, policies, policy
from nova_lite.context import RequestContext
from nova_lite.policies.base import RULES, Rule

ROLES = ["admin", "manager", "member", "reader", "service", "Member", "other"]
# Beyond the catalogue: every kind of check a site's override may use.
ODD = [
    "@",
    "!",
    "not role:admin",
    "role:admin or (role:member and not project_id:%(project_id)s)",
    "user_id:%(user_id)s",
    "user_id:%(missing)s",
    "nosuch:%(user_id)s",
    "role:%(wanted_role)s",
    "rule:nosuch",
    "rule:odd3 and rule:odd4 and rule:admin_api",
    "rule:odd0 or rule:odd1 or rule:odd5",
    "True:%(flag)s",
    "'p1':%(project_id)s",
    "None:%(nothing)s",
    "roles:member",
    "is_admin:False",
    "token.user:%(user_id)s",
    "project_id:prefix-%(project_id)s",
    "user_id:u1",
]
CATALOGUE = policies.all_rules() + tuple(Rule(f"odd{i}", check, "odd") for i, check in enumerate(ODD))


def make_policy(*config_files: str, rules: tuple[Rule, ...] = CATALOGUE) -> policy.Policy:
    conf = cfg.ConfigOpts()
    conf([], project="nova-lite", default_config_files=list(config_files), default_config_dirs=[])
    return policy.Policy(conf, rules)


@pytest.fixture(scope="module")
def subject() -> policy.Policy:
    return make_policy()


def context(**values: Any) -> RequestContext:
    return RequestContext(overwrite=False, **values)


contexts = st.builds(
    context,
    roles=st.lists(st.sampled_from(ROLES), unique=True),
    project_id=st.sampled_from(["p1", "p2", None]),
    user_id=st.sampled_from(["u1", "u2"]),
    is_admin=st.booleans(),
    system_scope=st.sampled_from([None, None, "all"]),
    domain_id=st.sampled_from([None, None, "d1"]),
)
targets = st.fixed_dictionaries(
    {},
    optional={
        "project_id": st.sampled_from(["p1", "p2", None]),
        "user_id": st.sampled_from(["u1", "u2"]),
        "wanted_role": st.sampled_from(["Admin", "member"]),
        "flag": st.sampled_from([True, "True", False]),
        "nothing": st.none(),
    },
)


@settings(max_examples=60, deadline=None)
@given(contexts, targets)
def test_every_rule_answers_as_the_enforcer_does(subject: policy.Policy, ctxt: RequestContext, target: dict) -> None:
    for rule in CATALOGUE:
        creds = {**ctxt.policy_values(), "system_scope": ctxt.system_scope, "domain_id": ctxt.domain_id}
        expected = bool(subject.enforcer.enforce(rule.name, target, creds))
        assert subject.allowed(ctxt, rule.name, target) is expected, rule


def test_almost_everything_is_compiled(subject: policy.Policy) -> None:
    asked = [name for name in subject._compiled if "Policy._compile" in subject._compiled[name].__qualname__]
    assert asked == [f"odd{ODD.index('token.user:%(user_id)s')}"]


def test_base_roles() -> None:
    subject = make_policy()
    mine, foreign = {"project_id": "p1"}, {"project_id": "p2"}
    reader = context(roles=["reader"], project_id="p1")
    assert subject.allowed(reader, "project_reader_or_admin", mine)
    assert not subject.allowed(reader, "project_reader_or_admin", foreign)
    assert not subject.allowed(reader, "project_member_or_admin", mine)
    admin = context(roles=["admin"], project_id="p9", is_admin=True)
    assert subject.allowed(admin, "project_member_or_admin", foreign)
    assert subject.allowed(admin, "admin_api", foreign)
    assert not subject.allowed(context(roles=["admin"], system_scope="all"), "context_is_admin", {})


def test_unknown_rule_is_the_callers_mistake(subject: policy.Policy) -> None:
    with pytest.raises(exception.NovaLiteError, match="nosuch"):
        subject.allowed(context(), "nosuch", {})


def test_the_sites_file_overrides_and_is_read_again(tmp_path: pathlib.Path) -> None:
    site = tmp_path / "policy.yaml"
    site.write_text('"admin_api": "role:other"\n')
    main = tmp_path / "nova-lite.conf"
    main.write_text(f"[oslo_policy]\npolicy_file = {site}\n")
    subject = make_policy(str(main), rules=RULES)
    other = context(roles=["other"])
    assert subject.allowed(other, "admin_api", {})
    site.write_text('"admin_api": "!"\n')
    os.utime(site, (1, 2_000_000_000))
    subject._refresh_or_keep()
    assert not subject.allowed(other, "admin_api", {})
    site.write_text("{{{")
    os.utime(site, (1, 2_000_000_100))
    subject._refresh_or_keep()
    assert not subject.allowed(other, "admin_api", {})
    with pytest.raises(exception.ConfigInvalid):
        make_policy(str(main), rules=RULES)


def test_authorize_refuses_by_name(monkeypatch: pytest.MonkeyPatch, subject: policy.Policy) -> None:
    monkeypatch.setattr(policy, "_policy", subject)
    policy.authorize(context(roles=["admin"]), "context_is_admin", {})
    with pytest.raises(exception.PolicyNotAuthorized) as caught:
        policy.authorize(context(roles=["reader"]), "context_is_admin", {})
    assert str(caught.value) == "Policy doesn't allow context_is_admin to be performed."


def test_every_rule_is_in_the_sample() -> None:
    assert [rule.name for rule in policy.list_rules()] == [rule.name for rule in policies.all_rules()]
