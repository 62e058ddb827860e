"""Compares an answer with a sample: the same keys on each level, the same JSON type per leaf, constants equal.

Samples are shapes, not values (contract README, "How to use them as fixtures"). What may differ is decided by rules
that have a source: visibility by role and state from states.md section 7, page links from section 5, times from 6.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.harness.contract.fields import ADMIN_KEYS, HOSTNAME, HOSTNAME_FOR_ALL
from tests.harness.contract.material import Version

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

# A sample's string of one kind asks for the same kind; the first match names it.
KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("uuid", re.compile(rf"^{UUID}$")),
    ("request id", re.compile(rf"^req-{UUID}$")),
    ("time with Z", re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")),
    ("time without zone", re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?$")),
    ("fingerprint", re.compile(r"^([0-9a-f]{2}:){9,}[0-9a-f]{2}$")),
    ("MAC", re.compile(r"^([0-9a-f]{2}:){5}[0-9a-f]{2}$")),
    ("IPv4", re.compile(r"^\d{1,3}(\.\d{1,3}){3}$")),
    ("hostId", re.compile(r"^[0-9a-f]{56}$")),
    ("public key", re.compile(r"^ssh-(rsa|ed25519) ")),
    ("private key", re.compile(r"^-----BEGIN ")),
    ("reservation id", re.compile(r"^r-[a-z0-9]{8}$")),
)
SAME_KIND = {"fingerprint": re.compile(r"^([0-9a-f]{2}:)+[0-9a-f]{2}$")}

# Values that must be the sample's own, by key: status words, relations, names that clients look for.
CONSTANT_KEYS = frozenset(
    {"rel", "status", "OS-EXT-STS:vm_state", "OS-EXT-STS:power_state", "OS-EXT-STS:task_state", "OS-DCF:diskConfig",
     "OS-EXT-IPS:type", "host_status", "type", "base", "locked", "min_version"}
)  # fmt: skip
# Constant only where the sample is about it: a version document's id.
CONSTANT_PATHS = frozenset({"version.id", "versions[].id"})

# Keys whose value may be null or a string whatever the sample shows: set by the request, or not yet happened.
NULLABLE = frozenset(
    {"key_name", "description", "locked_reason", "pinned_availability_zone", "trusted_image_certificates",
     "OS-SRV-USG:launched_at", "OS-SRV-USG:terminated_at", "OS-EXT-STS:task_state", "updated_at", "deleted_at",
     "OS-EXT-SRV-ATTR:user_data", "OS-EXT-SRV-ATTR:kernel_id", "OS-EXT-SRV-ATTR:ramdisk_id",
     "OS-EXT-SRV-ATTR:root_device_name", "OS-EXT-SRV-ATTR:reservation_id"}
)  # fmt: skip
# Objects whose keys are data, not contract.
FREE_KEYS = frozenset({"metadata", "addresses", "extra_specs", "properties", "scheduler_hints", "hosts"})
# Lists that may be empty though the sample's is not: what a server happens to have.
MAY_BE_EMPTY = frozenset({"os-extended-volumes:volumes_attached", "tags", "server_groups", "security_groups"})
MAY_BE_EMPTY_STRING = frozenset({"hostId", "accessIPv4", "accessIPv6", "image", "config_drive", "host_status"})

# Ids that the identity service makes, in whatever form it likes.
FOREIGN_IDS = frozenset({"user_id", "project_id", "tenant_id"})

LIVE_UNDER_WAY = frozenset({"queued", "preparing", "running", "post-migrating"})
WITH_PROGRESS = frozenset({"ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"})
WITH_FAULT = frozenset({"ERROR", "DELETED"})


@dataclass(frozen=True)
class Asked:
    """What the call was: rules on visibility and paging read it. ``limit`` is the page size asked for, if any."""

    role: str = "admin"
    version: Version = (2, 1)
    limit: int | None = None
    constants: frozenset[str] = CONSTANT_KEYS


@dataclass
class Comparison:
    """Collects differences, each ``path: what``."""

    asked: Asked
    differences: list[str] = field(default_factory=list)

    def add(self, path: str, what: str) -> None:
        self.differences.append(f"{path or 'body'}: {what}")


def compare(sample: Any, actual: Any, asked: Asked | None = None) -> list[str]:
    """Differences of ``actual`` from ``sample``; an empty list when the shapes agree."""
    comparison = Comparison(asked or Asked())
    _compare(comparison, "", "", sample, actual)
    return comparison.differences


def json_type(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    names: dict[type, str] = {str: "string", list: "array", dict: "object"}
    return names[type(value)]


def _compare(comparison: Comparison, path: str, key: str, sample: Any, actual: Any) -> None:
    expected, found = json_type(sample), json_type(actual)
    if expected != found:
        if not _may_differ(key, sample, actual):
            comparison.add(path, f"{found} where the sample has {expected}")
    elif isinstance(sample, dict):
        _compare_objects(comparison, path, key, sample, actual)
    elif isinstance(sample, list):
        _compare_lists(comparison, path, key, sample, actual)
    elif isinstance(sample, str):
        _compare_strings(comparison, path, key, sample, actual)
    elif key in comparison.asked.constants and sample != actual:
        comparison.add(path, f"{actual!r} where the sample has {sample!r}")


def _may_differ(key: str, sample: Any, actual: Any) -> bool:
    if key in NULLABLE:
        return sample is None or actual is None
    return key == "image" and actual == ""  # a volume-booted server


def _compare_objects(
    comparison: Comparison, path: str, key: str, sample: dict[str, Any], actual: dict[str, Any]
) -> None:
    if key in FREE_KEYS:
        shape = next(iter(sample.values()), None)
        for name, value in actual.items() if shape is not None else ():
            _compare(comparison, f"{path}.{name}", "", shape, value)
        return
    required, optional = _expected_keys(comparison.asked, path, sample, actual)
    for name in sorted(required - actual.keys()):
        comparison.add(_join(path, name), "missing")
    for name in sorted(actual.keys() - required - optional):
        comparison.add(_join(path, name), "not in the sample")
    for name in sample.keys() & actual.keys():
        _compare(comparison, _join(path, name), name, sample[name], actual[name])


def _expected_keys(
    asked: Asked, path: str, sample: dict[str, Any], actual: dict[str, Any]
) -> tuple[set[str], set[str]]:
    """Keys that must be there, and keys that may."""
    required: set[str] = set(sample)
    optional: set[str] = set()
    if "OS-EXT-STS:vm_state" in sample or "hostId" in sample:  # a server in full
        required, optional = _server_keys(asked, sample, actual)
    if "migration_type" in actual:  # what can be asked of a migration links to it (2.23)
        live = actual["migration_type"] == "live-migration" and actual["status"] in LIVE_UNDER_WAY
        (required.add if live else required.discard)("links")
    for name in {*sample, *actual}:
        if name.endswith("_links"):
            items = actual.get(_items_of(name, actual))
            if isinstance(items, list):
                full = asked.limit is not None and 0 < asked.limit == len(items)
                (required.add if full else required.discard)(name)
            else:  # tenant_usage_links pages the inside of an object
                required.discard(name)
                optional.add(name)
    return required, optional


def _server_keys(asked: Asked, sample: dict[str, Any], actual: dict[str, Any]) -> tuple[set[str], set[str]]:
    required, optional = set(sample), {"security_groups"}
    required.discard("security_groups")
    short_form = "OS-EXT-STS:vm_state" not in sample  # PUT to 2.74
    for name, since in ADMIN_KEYS.items():
        everyone = name == HOSTNAME and asked.version >= HOSTNAME_FOR_ALL
        visible = (asked.role == "admin" or everyone) and asked.version >= since and not short_form
        (required.add if visible else required.discard)(name)
    if "user_data" in sample:  # rebuild has it under a name of its own
        required.discard("OS-EXT-SRV-ATTR:user_data")
    status = actual.get("status")
    (required.add if status in WITH_PROGRESS else required.discard)("progress")
    if status in WITH_FAULT:
        optional.add("fault")
    return required, optional


def _items_of(links_key: str, actual: dict[str, Any]) -> str:
    stem = links_key.removesuffix("_links")
    return stem if stem in actual else f"{stem}s"


def _compare_lists(comparison: Comparison, path: str, key: str, sample: list[Any], actual: list[Any]) -> None:
    if not sample:
        return
    if not actual and key not in MAY_BE_EMPTY:
        comparison.add(path, "empty where the sample has elements")
    if key == "links" or key.endswith("_links"):
        _compare_links(comparison, path, sample, actual)
        return
    for index, element in enumerate(actual):
        tries: list[list[str]] = []
        for shape in sample:
            one = Comparison(comparison.asked)
            _compare(one, f"{path}[{index}]", "[]", shape, element)
            tries.append(one.differences)
        fewest = min(range(len(tries)), key=lambda number: len(tries[number]))
        comparison.differences.extend(tries[fewest])


def _compare_links(comparison: Comparison, path: str, sample: list[Any], actual: list[Any]) -> None:
    """Links have roles: the same relations, each compared with its own."""
    mine, theirs = _by_rel(sample), _by_rel(actual)
    if list(mine) != list(theirs):
        comparison.add(path, f"relations {list(theirs)} where the sample has {list(mine)}")
    for rel in mine.keys() & theirs.keys():
        _compare(comparison, f"{path}[{rel}]", "", mine[rel], theirs[rel])


def _by_rel(links: Iterable[Any]) -> dict[str, Any]:
    return {str(link.get("rel")): link for link in links}


def _compare_strings(comparison: Comparison, path: str, key: str, sample: str, actual: str) -> None:
    constant = key in comparison.asked.constants or re.sub(r"\[\d+\]", "[]", path) in CONSTANT_PATHS
    if constant:
        if sample != actual:
            comparison.add(path, f"{actual!r} where the sample has {sample!r}")
        return
    if key == "href":
        if url_shape(sample) != url_shape(actual):
            comparison.add(path, f"link {actual} ({url_shape(actual)}) where the sample has {url_shape(sample)}")
        return
    if (actual == "" or sample == "") and key in MAY_BE_EMPTY_STRING:
        return
    kind = kind_of(sample)
    if kind is not None and key not in FOREIGN_IDS and not _is_kind(kind, actual):
        comparison.add(path, f"{actual!r} is no {kind} (sample: {sample!r})")


def kind_of(text: str) -> str | None:
    return next((kind for kind, pattern in KINDS if pattern.match(text)), None)


def _is_kind(kind: str, text: str) -> bool:
    return bool(SAME_KIND.get(kind, dict(KINDS)[kind]).match(text))


_VERSIONED = re.compile(r"^/v2(\.1)?(?=/|$)")
_PROJECT = re.compile(r"^/[0-9a-f]{32}(?=/)")


def url_shape(url: str) -> str:
    """A link without what depends on the deployment: host, project, ids and markers; ``/v2`` counts as ``/v2.1``.

    Old samples were made through ``/v2``. Query keys count, their values do not.
    """
    parts = urllib.parse.urlsplit(url)
    path = parts.path
    version = "/{v}" if _VERSIONED.match(path) else ""
    path = _PROJECT.sub("", _VERSIONED.sub("", path))
    segments = path.split("/")
    if len(segments) >= 3 and segments[2]:
        segments[2] = "{id}"
    query = ",".join(sorted({name for name, _ in urllib.parse.parse_qsl(parts.query, keep_blank_values=True)}))
    return f"{version}{'/'.join(segments)}" + (f"?{query}" if query else "")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
