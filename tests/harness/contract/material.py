"""The contract's files: where they are, what they say, which sample holds at which microversion.

The contract lies beside the checkout (``../shared/contract``) or where NOVA_LITE_CONTRACT says. See its README.md.
"""

from __future__ import annotations

import functools
import json
import os
import pathlib
import re
from dataclasses import dataclass
from typing import Any

import yaml

Version = tuple[int, int]
ROOT = pathlib.Path(__file__).resolve().parents[3]


class ContractMissing(Exception):
    """Neither NOVA_LITE_CONTRACT nor ../shared/contract beside the checkout holds the contract."""


def location() -> pathlib.Path:
    """The contract's directory.

    :raises ContractMissing: there is none; tests skip and say so.
    """
    named = os.environ.get("NOVA_LITE_CONTRACT")
    found = pathlib.Path(named) if named else ROOT.parent / "shared" / "contract"
    if not (found / "fixtures.json").is_file():
        raise ContractMissing(f"no contract at {found} (set NOVA_LITE_CONTRACT)")
    return found


def parse_version(text: str) -> Version:
    """``"2.19"`` as (2, 19), so that 2.100 comes after 2.99."""
    major, minor = text.split(".")
    return int(major), int(minor)


@dataclass(frozen=True)
class Call:
    """One call of fixtures.json. ``request`` and ``response`` are sample paths below api_samples."""

    operation: str
    microversion: str
    role: str
    query: str | None
    request: str | None
    response: str | None
    status: int
    tier: str

    @property
    def version(self) -> Version:
        return parse_version(self.microversion)

    def label(self) -> str:
        query = f"?{self.query}" if self.query else ""
        return f"{self.operation}{query} at {self.microversion} as {self.role}"


@functools.cache
def operations() -> dict[str, dict[str, Any]]:
    """api.yaml's entries by id."""
    with (location() / "api.yaml").open(encoding="utf-8") as handle:
        return {entry["id"]: entry for entry in yaml.safe_load(handle)["operations"]}


@functools.cache
def fields() -> dict[str, dict[str, Any]]:
    return dict(json.loads((location() / "api_fields.json").read_text(encoding="utf-8")))


@functools.cache
def changes() -> dict[str, dict[str, Any]]:
    """What each microversion changed, by operation."""
    return dict(json.loads((location() / "microversion_diff.json").read_text(encoding="utf-8")))


@functools.cache
def calls() -> tuple[Call, ...]:
    rows = json.loads((location() / "fixtures.json").read_text(encoding="utf-8"))
    return tuple(Call(**row, tier=operations()[row["operation"]]["tier"]) for row in rows)


def calls_of(*tiers: str) -> list[Call]:
    return [call for call in calls() if call.tier in tiers]


@functools.cache
def _text(path: str) -> str:
    return (location() / "api_samples" / path).read_text(encoding="utf-8")


def sample(path: str) -> Any:
    """A fresh copy of a sample's JSON."""
    return json.loads(_text(path))


_FOLDER = re.compile(r"^(?P<topic>[^/]+)/(?:v(?P<version>\d+\.\d+)/)?(?P<name>[^/]+)$")


def samples_at(paths: list[str], version: Version) -> dict[str, str]:
    """Of an operation's sample files, by ``topic/name`` the one of the highest folder not above ``version``."""
    best: dict[str, tuple[Version, str]] = {}
    for path in paths:
        match = _FOLDER.match(path)
        if match is None:
            raise ValueError(f"not a sample path: {path}")
        since = parse_version(match["version"] or "2.1")
        key = f"{match['topic']}/{match['name']}"
        if since <= version and (key not in best or best[key][0] < since):
            best[key] = (since, path)
    return {key: path for key, (_, path) in best.items()}
