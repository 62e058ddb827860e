"""Calls at microversions that no fixture lists: the nearest one below, adapted, and judged by api_fields.json."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

from tests.harness.contract import fields, material
from tests.harness.contract.endpoint import Reply
from tests.harness.contract.material import Call, Version
from tests.harness.contract.prepare import REFUSED_SAMPLES, Prepared
from tests.harness.contract.replay import Replay, error_shape, headers

NEWEST: Version = (2, 104)


def range_of(operation: str) -> tuple[Version, Version]:
    """The versions that have the call."""
    entry = material.operations()[operation]
    last = entry["max_microversion"]
    return material.parse_version(entry["min_microversion"] or "2.1"), material.parse_version(last) if last else NEWEST


def choose(operations: set[str], each: int, chance: random.Random) -> list[Call]:
    """``each`` calls of every operation that has fixtures which succeed, at random versions of its range."""
    chosen = []
    # The site's calls first: some need a host without servers.
    for operation in sorted(operations, key=lambda each: ("/servers" in each, each)):
        first, last = range_of(operation)
        listed = [
            call for call in material.calls()
            if call.operation == operation and call.status < 300 and call.request not in REFUSED_SAMPLES
        ]  # fmt: skip
        for minor in sorted(chance.randint(first[1], last[1]) for _ in range(each)):
            below = [call for call in listed if call.version <= (2, minor)]
            if not below:
                continue
            nearest = max(call.version for call in below)
            call = chance.choice([call for call in below if call.version == nearest])
            chosen.append(dataclasses.replace(call, microversion=f"2.{minor}"))
    return chosen


def adapted(operation: str, version: Version, body: Any) -> Any:
    """A request without what its version does not know, and with the networks that it may insist on."""
    rules = material.fields().get(operation, {}).get("request")
    if not rules or not isinstance(body, dict):
        return body
    action = material.operations()[operation].get("action")
    whole, body = body, _pruned(fields.tree(rules), version, body)
    if action is not None:  # an action is named, even where it takes nothing yet
        body.setdefault(action, whole[action])
    if operation == "POST /servers" and version >= (2, 37):
        body["server"].setdefault("networks", "auto")
    if operation.endswith(" os-migrateLive"):
        body["os-migrateLive"].setdefault("block_migration", False)
    return body


def _pruned(node: fields.Node, version: Version, value: Any) -> Any:
    if isinstance(value, list):
        return [_pruned(node.items, version, each) for each in value] if node.items else value
    if not isinstance(value, dict) or not (node.keys or node.patterns):
        return value
    kept = {}
    for name, each in value.items():
        child = node.find(name)
        if child is None or child.rule is None or child.rule.is_valid(version):
            kept[name] = _pruned(child, version, each) if child else each
    return kept


class Between(Replay):
    """A replay whose judge is the table of fields alone."""

    def _problems(self, call: Call, prepared: Prepared, reply: Reply) -> list[str]:
        # What the contract itself corrects (prepared.note says why) holds between the listed versions, too.
        expected = self._statuses(call) if prepared.status < 300 else {prepared.status}
        if reply.status not in expected:
            return [f"status {reply.status} instead of {sorted(expected)}: {reply.message}"]
        problems = headers(call, prepared.path, reply)
        if reply.status >= 400:
            return problems + error_shape(reply)
        if call.operation in material.fields() and reply.body is not None:
            problems += [f"fields: {each}" for each in fields.check(call.operation, call.version, reply.body)]
        return problems

    @staticmethod
    def _statuses(call: Call) -> set[int]:
        """The success codes of the version."""
        return {
            each["code"] for each in material.operations()[call.operation]["success"]
            if material.parse_version(each.get("from", "2.1")) <= call.version
            <= material.parse_version(str(each.get("to", "2.999")))
        }  # fmt: skip

    def _prepared(self, call: Call) -> Prepared:
        prepared = super()._prepared(call)
        return dataclasses.replace(prepared, body=adapted(call.operation, call.version, prepared.body))
