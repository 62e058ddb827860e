from __future__ import annotations

import types

import pytest

from nova_lite import policies
from nova_lite.policies import base


def test_every_module_of_the_catalogue_has_described_rules_with_unique_names() -> None:
    rules = policies.all_rules()
    assert len({rule.name for rule in rules}) == len(rules)
    assert set(base.RULES) <= set(rules)
    assert [rule.name for rule in rules if not rule.description] == []


def test_a_name_defined_twice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    twin = types.SimpleNamespace(RULES=(base.RULES[0],))
    monkeypatch.setattr(policies, "resources", lambda: ["base", "twin"])
    real = policies.importlib.import_module
    monkeypatch.setattr(policies.importlib, "import_module", lambda name: twin if name.endswith("twin") else real(name))
    with pytest.raises(ValueError, match=base.RULES[0].name):
        policies.all_rules()
