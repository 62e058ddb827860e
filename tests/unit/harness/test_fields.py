"""The rules of api_fields.json are read right, and the contract's own samples obey them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.contract import fields, material
from tests.harness.contract.fields import parse_rule, steps, tree

try:
    material.location()
except material.ContractMissing as error:  # pragma: no cover
    pytest.skip(str(error), allow_module_level=True)


@pytest.mark.parametrize(
    ("text", "version", "valid", "required"),
    [
        ("", (2, 1), True, False),
        ("required", (2, 1), True, True),
        ("2.55..", (2, 54), False, False),
        ("2.55..", (2, 100), True, False),
        ("2.1..2.46", (2, 47), False, False),
        ("2.9.. required", (2, 10), True, True),
        ("required 2.37..", (2, 36), True, False),
        ("2.3.. required 2.90..", (2, 89), True, False),
        ("2.3.. required 2.90..", (2, 90), True, True),
        ("2.32..2.32,2.42..", (2, 33), False, False),
        ("2.32..2.32,2.42..", (2, 42), True, False),
    ],
)
def test_rule(text: str, version: material.Version, valid: bool, required: bool) -> None:
    rule = parse_rule(text)
    assert (rule.is_valid(version), rule.is_required(version)) == (valid, required)


def test_paths_with_patterns() -> None:
    assert steps("a.b[].{^[a-z.]{1,255}$}[].c") == [
        ("name", "a"), ("name", "b"), ("list", ""), ("pattern", "^[a-z.]{1,255}$"), ("list", ""), ("name", "c"),
    ]  # fmt: skip


def test_every_listed_operation_has_a_readable_tree() -> None:
    for operation, rules in material.fields().items():
        assert tree(rules.get("response", {})), operation


def _problems(version: material.Version, body: Any) -> list[str]:
    return fields.check("GET /flavors/{id}", version, body)


def test_missing_early_late_and_unknown_fields_are_seen() -> None:
    flavor = material.sample("flavors/v2.55/flavor-get-resp.json")
    assert _problems((2, 55), flavor) == []
    assert _problems((2, 54), flavor) == ["flavor.description is not valid at 2.54"]
    assert sorted(_problems((2, 102), flavor)) == [
        "flavor.OS-FLV-DISABLED:disabled is not valid at 2.102", "flavor.rxtx_factor is not valid at 2.102",
    ]  # fmt: skip
    del flavor["flavor"]["vcpus"]
    flavor["flavor"]["colour"] = "red"
    assert _problems((2, 55), flavor) == ["flavor.vcpus is missing", "flavor.colour is unknown"]


DOWN_CELL = ("v2.69/server", "down-cell")


def test_the_contracts_own_samples_obey_its_fields() -> None:
    judged = 0
    for call in material.calls_of("T1", "T2"):
        if call.response is None or call.operation not in material.fields() or call.status >= 300:
            continue
        if any(word in call.response for word in DOWN_CELL):
            continue
        judged += 1
        assert fields.check(call.operation, call.version, material.sample(call.response)) == [], call.label()
    assert judged > 400
