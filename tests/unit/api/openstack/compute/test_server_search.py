"""From a list query to a ServerSearch."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.api.openstack.compute.server_search import Impossible, all_projects, server_search
from nova_lite.api.openstack.microversions import at
from nova_lite.api.openstack.resource import parse_query
from nova_lite.objects import ServerSearch


def search(text: str, number: str = "2.96", admin: bool = False, everywhere: bool = False) -> ServerSearch:
    return server_search(
        parse_query(text), at(number), project_id="p", is_admin=admin, every_filter=admin, every_project=everywhere,
        limit=10,
    )  # fmt: skip


def test_nothing_asked() -> None:
    assert search("") == ServerSearch("p", soft_deleted=False, limit=10)


@pytest.mark.parametrize(
    ("text", "admin", "shown"),
    [
        ("", True, False), ("soft_deleted=1", True, True), ("soft_deleted=1", False, False), ("deleted=1", True, True),
        ("deleted=1&soft_deleted=0", True, False), ("deleted=1", False, False),
    ],
)  # fmt: skip
def test_servers_that_may_be_restored_are_listed_with_the_deleted(text: str, admin: bool, shown: bool) -> None:
    assert search(text, admin=admin).soft_deleted is shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", False), ("all_tenants", True), ("all_tenants=", True), ("all_tenants=1", True), ("all_tenants=False", False)],
)
def test_all_tenants(text: str, expected: bool) -> None:
    assert all_projects(parse_query(text)) is expected


def test_all_tenants_is_a_boolean() -> None:
    with pytest.raises(exception.Invalid):
        all_projects({"all_tenants": ["zzz"]})


def test_what_narrows_for_whom() -> None:
    text = "flavor=1&image=i&reservation_id=r&host=h&user_id=u&uuid=x&kernel_id=k"
    plain = {"flavor_id": "1", "image_ref": "i", "reservation_id": "r"}
    assert search(text, "2.82").filters == plain
    assert search(text, "2.83").filters == {**plain, "user_id": "u"}
    full = {**plain, "user_id": "u", "host": "h", "uuid": "x", "kernel_id": "k"}
    assert search(text, "2.1", admin=True).filters == full


def test_patterns() -> None:
    text = "name=a&ip=10.&ip6=fe&hostname=h&description=d"
    assert search(text, "2.4").patterns == {"display_name": "a", "ip": "10."}
    assert search(text, "2.5").patterns == {"display_name": "a", "ip": "10.", "ip6": "fe"}
    assert "hostname" in search(text, "2.90").patterns
    assert search(text, "2.1", admin=True).patterns["display_description"] == "d"


def test_projects_count_with_all_tenants_only() -> None:
    assert search("tenant_id=t", admin=True).filters == {}
    assert search("tenant_id=t", admin=True).project_id == "p"
    found = search("tenant_id=t", admin=True, everywhere=True)
    assert (found.project_id, found.filters) == (None, {"project_id": "t"})


def test_statuses_are_or_ed() -> None:
    found = search("status=shutoff&status=PAUSED")
    assert found.statuses == (("stopped", None), ("paused", None))
    assert search("status=reboot").statuses == (("active", ("rebooting", "reboot_pending", "reboot_started")),)


def test_an_unknown_status() -> None:
    with pytest.raises(Impossible):
        search("status=nothing", "2.37")
    with pytest.raises(exception.Invalid, match="Invalid status value"):
        search("status=nothing", "2.38")


def test_deleted_servers() -> None:
    with pytest.raises(exception.Forbidden, match="Only administrators may list deleted instances"):
        search("status=deleted")
    assert search("status=deleted", admin=True).deleted is True
    assert search("deleted=1", admin=True).deleted is True
    assert search("deleted=1").deleted is False
    assert search("changes-since=2026-11-20T12:00:00Z").deleted is None


def test_times_are_naive_utc() -> None:
    found = search("changes-since=2026-11-20T12:00:00%2B02:00&changes-before=2026-11-20T12:00:00Z")
    assert found.changes_since == datetime.datetime(2026, 11, 20, 10)
    assert found.changes_before == datetime.datetime(2026, 11, 20, 12)
    assert search("changes-before=2026-11-20T12:00:00Z", "2.65").changes_before is None
    with pytest.raises(exception.Invalid, match="changes-since must be less than or equal"):
        search("changes-since=2026-11-21T12:00:00Z&changes-before=2026-11-20T12:00:00Z")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sort_dir=asc", (("created_at", "asc"), ("id", "asc"))),
        ("sort_key=display_name", (("display_name", "desc"),)),
        ("sort_key=display_name&sort_key=uuid&sort_dir=asc", (("display_name", "asc"), ("uuid", "asc"))),
        ("sort_key=instance_type_id", (("flavor_id", "desc"),)),
        ("sort_key=vcpus", (("created_at", "desc"), ("id", "desc"))),
        ("sort_key=uuid&sort_key=uuid&sort_dir=asc&sort_dir=desc", (("uuid", "desc"),)),
    ],
)
def test_order(text: str, expected: Any) -> None:
    assert search(text).sort == expected


def test_order_by_place_is_for_administrators() -> None:
    with pytest.raises(exception.Forbidden):
        search("sort_key=host")
    assert search("sort_key=node", admin=True).sort == (("node", "desc"),)
    with pytest.raises(exception.Invalid, match="Sort direction size exceeds sort key size"):
        search("sort_key=uuid&sort_dir=asc&sort_dir=asc")


def test_tags_from_2_26() -> None:
    text = "tags=a,b&tags-any=c&not-tags=d&not-tags-any=e,,e"
    found = search(text)
    assert (found.tags_all, found.tags_any) == (("a", "b"), ("c",))
    assert (found.not_tags_all, found.not_tags_any) == (("d",), ("e",))
    assert search(text, "2.25").tags_all == ()


def test_locked_from_2_73() -> None:
    assert search("locked=True").filters == {"locked": True}
    assert search("locked=True", "2.72").filters == {}


def test_metadata_is_for_administrators() -> None:
    text = "metadata=%7B%22a%22:%20%22b%22%7D"
    assert search(text, admin=True).metadata == (("a", "b"),)
    assert search("metadata={'a':'b'}", admin=True).metadata == (("a", "b"),)
    assert search(text).metadata == ()
    for bad in ("metadata=5", "metadata=__import__('os')", "metadata=" + "(" * 500):
        with pytest.raises(exception.Invalid, match="Unable to parse the filter metadata"):
            search(bad, admin=True)
