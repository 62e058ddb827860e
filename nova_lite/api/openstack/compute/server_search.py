"""From the query of a server list to a ServerSearch (contract states.md, sections 1 and 5). Pure.

What a caller may filter by depends on the policy ``allow_all_filters`` and the microversion; other known keys are
dropped in silence and do not narrow the list.
"""

from __future__ import annotations

import ast
import base64
import datetime
import json
from typing import Any

from oslo_utils import strutils

from nova_lite import exception
from nova_lite.api.openstack import formats, microversions
from nova_lite.api.openstack.compute.schemas.servers import IGNORED_SORT_KEYS
from nova_lite.api.openstack.microversions import Microversion
from nova_lite.compute.statuses import states_of
from nova_lite.compute.vm_states import VmState
from nova_lite.objects import ServerSearch

Query = dict[str, list[str]]

# Query key: column. Those of a plain caller, then those every caller got with 2.83, then those of all_filters.
_ALWAYS = {"reservation_id": "reservation_id", "image": "image_ref", "flavor": "flavor_id"}
_SINCE_2_83 = {
    "availability_zone": "availability_zone",
    "config_drive": "config_drive",
    "key_name": "key_name",
    "created_at": "created_at",
    "launched_at": "launched_at",
    "terminated_at": "terminated_at",
    "power_state": "power_state",
    "task_state": "task_state",
    "vm_state": "vm_state",
    "progress": "progress",
    "user_id": "user_id",
}
_ALL = {
    **_ALWAYS,
    **_SINCE_2_83,
    "image_ref": "image_ref",
    "launch_index": "launch_index",
    "kernel_id": "kernel_id",
    "ramdisk_id": "ramdisk_id",
    "host": "host",
    "node": "node",
    "locked_by": "locked_by",
    "uuid": "uuid",
    "root_device_name": "root_device_name",
    "access_ip_v4": "access_ip_v4",
    "access_ip_v6": "access_ip_v6",
    "auto_disk_config": "auto_disk_config",
}
_PATTERNS_ALWAYS = {"name": "display_name", "ip": "ip"}
_PATTERNS_ALL = {
    **_PATTERNS_ALWAYS,
    "ip6": "ip6",
    "display_name": "display_name",
    "description": "display_description",
    "display_description": "display_description",
    "hostname": "hostname",
}
_SORT_ALIASES = {"instance_type_id": "flavor_id"}
_PLACES = ("host", "node")
# A key of the link to the next page, in an order where the last server may come to stand elsewhere before that is asked
# for. Nova takes keys that begin so and forgets them; a client that makes its own link has its marker's present place.
PLACE = "_after"
HOSTNAME_FILTER = microversions.at("2.90")


class Impossible(Exception):
    """No server can match; the answer is an empty list, not an error."""


def all_projects(query: Query) -> bool:
    """Whether the caller asks for every project's servers; an empty value means yes.

    :raises Invalid: the value is no boolean.
    """
    if "all_tenants" not in query:
        return False
    value = query["all_tenants"][-1]
    if not value:
        return True
    try:
        return strutils.bool_from_string(value, strict=True)
    except ValueError as error:
        raise exception.Invalid(f"Invalid input received: {error}") from None


def server_search(
    query: Query,
    version: Microversion,
    *,
    project_id: str | None,
    is_admin: bool,
    every_filter: bool,
    every_project: bool,
    limit: int,
) -> ServerSearch:
    """What the query asks for.

    :raises Invalid: values that do not fit together.
    :raises Forbidden: what only administrators may ask.
    :raises Impossible: nothing can match.
    """
    allowed = _ALL if every_filter else {**_ALWAYS, **(_SINCE_2_83 if _since_2_83(version) else {})}
    filters: dict[str, Any] = {column: query[key][-1] for key, column in allowed.items() if key in query}
    if every_project:
        for key in ("tenant_id", "project_id"):
            if key in query:
                filters["project_id"] = query[key][-1]
    if version >= microversions.LOCKED_FILTER and "locked" in query:
        filters["locked"] = strutils.bool_from_string(query["locked"][-1])
    _check_config_drive(filters)
    statuses = _statuses(query, version, is_admin=is_admin)
    since, before = _times(query, version)
    deleted = _deleted(query, since, statuses, every_filter=every_filter)
    return ServerSearch(
        project_id=None if every_project else project_id,
        filters=filters,
        patterns=_patterns(query, version, every_filter=every_filter),
        statuses=statuses,
        metadata=_metadata(query) if every_filter else (),
        changes_since=since,
        changes_before=before,
        deleted=deleted,
        soft_deleted=_soft_deleted(query, bool(deleted), every_filter=every_filter),
        sort=_sort(query, is_admin=is_admin),
        limit=limit,
        marker=query["marker"][-1] if "marker" in query else None,
        after=_place(query),
        **_tags(query, version),
    )


def _since_2_83(version: Microversion) -> bool:
    return version >= microversions.MORE_FILTERS_FOR_ALL


def _check_config_drive(filters: dict[str, Any]) -> None:
    if "config_drive" in filters and filters["config_drive"] in ("", "0", "None"):
        filters["config_drive"] = "False"


def _patterns(query: Query, version: Microversion, *, every_filter: bool) -> dict[str, str]:
    names = dict(_PATTERNS_ALL if every_filter else _PATTERNS_ALWAYS)
    if version >= microversions.IP6_FILTER_FOR_ALL:
        names["ip6"] = "ip6"
    if version >= HOSTNAME_FILTER:
        names["hostname"] = "hostname"
    return {column: query[key][-1] for key, column in names.items() if query.get(key, [""])[-1]}


def _statuses(
    query: Query, version: Microversion, *, is_admin: bool
) -> tuple[tuple[str, tuple[str, ...] | None], ...] | None:
    """The (vm_state, tasks) pairs of every ``status`` asked for, or-ed."""
    asked = [status for status in query.get("status", ()) if status]
    if not asked:
        return None
    found: list[tuple[str, tuple[str, ...] | None]] = []
    for status in asked:
        for vm_state, tasks in states_of(status):
            if vm_state == VmState.DELETED and not is_admin:
                raise exception.Forbidden("Only administrators may list deleted instances")
            found.append((str(vm_state), None if tasks is None else tuple(map(str, tasks))))
    if not found:
        if version >= microversions.UNKNOWN_STATUS_IS_ERROR:
            raise exception.Invalid("Invalid status value")
        raise Impossible
    return tuple(found)


def _times(query: Query, version: Microversion) -> tuple[datetime.datetime | None, datetime.datetime | None]:
    since = _time(query, "changes-since")
    before = _time(query, "changes-before") if version >= microversions.CHANGES_BEFORE else None
    if since is not None and before is not None and before < since:
        raise exception.Invalid("The value of changes-since must be less than or equal to changes-before.")
    return since, before


def _time(query: Query, key: str) -> datetime.datetime | None:
    return formats.parse_time(query[key][-1]) if key in query else None


def _deleted(
    query: Query,
    since: datetime.datetime | None,
    statuses: tuple[tuple[str, tuple[str, ...] | None], ...] | None,
    *,
    every_filter: bool,
) -> bool | None:
    """Deleted servers only, live ones only, or (None) both: changes-since tells of deleted ones too."""
    if every_filter and "deleted" in query:
        return strutils.bool_from_string(query["deleted"][-1], default=False)
    if statuses is not None and any(vm_state == VmState.DELETED for vm_state, _ in statuses):
        return True if len(statuses) == 1 else None
    return None if since is not None else False


def _soft_deleted(query: Query, default: bool, *, every_filter: bool) -> bool:
    """Whether servers that may still be restored are listed: with the deleted ones unless told otherwise."""
    if not every_filter or "soft_deleted" not in query:
        return default
    return strutils.bool_from_string(query["soft_deleted"][-1], default=default)


def _sort(query: Query, *, is_admin: bool) -> tuple[tuple[str, str], ...]:
    """
    :raises Forbidden: a key that tells of hosts
    """
    keys, dirs = list(query.get("sort_key", ())), list(query.get("sort_dir", ()))
    if not keys:
        direction = dirs[0] if dirs else "desc"
        return (("created_at", direction), ("id", direction))
    if len(dirs) > len(keys):
        raise exception.Invalid("Sort direction size exceeds sort key size")
    dirs += [dirs[-1] if dirs else "desc"] * (len(keys) - len(dirs))
    pairs = []
    for key, direction in zip(keys, dirs, strict=True):
        if key in _PLACES and not is_admin:
            raise exception.Forbidden(f"Only administrators can sort servers by {key}")
        if key not in IGNORED_SORT_KEYS:
            pairs.append((_SORT_ALIASES.get(key, key), direction))
    return tuple(dict(pairs).items()) or (("created_at", "desc"), ("id", "desc"))


def place_word(place: tuple[Any, ...]) -> str:
    """Where a page ends, as one word of the link to the next."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _place(query: Query) -> tuple[Any, ...] | None:
    """
    :raises Invalid: it is no word of ours
    """
    if PLACE not in query or "marker" not in query:
        return None
    word = query[PLACE][-1]
    try:
        place = json.loads(base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        place = None
    if not isinstance(place, list) or not all(each is None or isinstance(each, (str, int)) for each in place):
        raise exception.Invalid(f"Invalid input for query parameters {PLACE}.")
    return tuple(place)


def _tags(query: Query, version: Microversion) -> dict[str, tuple[str, ...]]:
    if version < microversions.TAG_FILTERS:
        return {}
    names = {"tags": "tags_all", "tags-any": "tags_any", "not-tags": "not_tags_all", "not-tags-any": "not_tags_any"}
    return {field: _words(query[key][-1]) for key, field in names.items() if key in query}


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in text.split(",") if word))


def _metadata(query: Query) -> tuple[tuple[str, str], ...]:
    """``metadata={"key": "value"}``, as JSON or as Python writes it."""
    pairs: list[tuple[str, str]] = []
    for text in query.get("metadata", ()):
        try:
            value = json.loads(text)
        except ValueError:
            try:
                value = ast.literal_eval(text)
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                raise exception.Invalid("Unable to parse the filter metadata") from None
        if not isinstance(value, dict):
            raise exception.Invalid("Unable to parse the filter metadata")
        pairs.extend((str(key), str(item)) for key, item in value.items())
    return tuple(pairs)
