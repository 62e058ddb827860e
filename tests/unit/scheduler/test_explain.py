"""The diagnosis: complete in its counts, bounded in its rows, and near in its miss."""

from __future__ import annotations

import json

from nova_lite.objects import Diagnosis, RequestSpec
from nova_lite.scheduler.explain import MAX_ROWS, MAX_ROWS_ON_SUCCESS, diagnosis
from nova_lite.scheduler.host_state import HostState
from nova_lite.scheduler.selection import select
from tests.harness.builders import make_host, make_spec
from tests.harness.scheduler import make_pipeline

PIPELINE = make_pipeline()


def _explain(hosts: list[HostState], spec: RequestSpec, note: str | None = None) -> Diagnosis:
    choice = select(hosts, spec, PIPELINE, 1)
    chosen = choice.hosts[0] if choice.best else None
    return diagnosis(choice, spec, PIPELINE.filters, hosts, chosen, note)


def test_each_refusal_is_told_with_its_filter_and_reason() -> None:
    hosts = [make_host("down", unusable="is down"), make_host("full", memory_mb_used=32700), make_host("good")]
    found = _explain(hosts, make_spec(memory_mb=512))
    assert [(row.host, row.filter, row.reason) for row in found.refusals] == [
        ("down", "ComputeFilter", "is down"),
        ("full", "RamFilter", "needs 512 MB, 68 MB free of 32768 x 1.0"),
    ]
    assert (found.considered, found.chosen, found.nearest) == (3, "good", None)
    assert found.counts == {"ComputeFilter": 1, "RamFilter": 1}


def test_thousands_of_refusals_are_counted_but_only_some_told() -> None:
    hosts = [make_host(f"down{index}", unusable="is down") for index in range(5000)]
    hosts += [make_host(f"full{index}", memory_mb_used=32768) for index in range(3)]
    found = _explain(hosts, make_spec())
    assert found.counts == {"ComputeFilter": 5000, "RamFilter": 3}
    assert len(found.refusals) == MAX_ROWS
    # the many leave room for the few
    assert [row.host for row in found.refusals if row.filter == "RamFilter"] == ["full0", "full1", "full2"]
    assert len(json.dumps(found.to_primitive())) < 16_000
    assert found.summary() == "5003 host(s) considered: refused 5000 by ComputeFilter, 3 by RamFilter."


def test_a_share_that_is_not_used_goes_to_the_next_filter() -> None:
    hosts = [make_host("down", unusable="is down")]
    hosts += [make_host(f"full{index}", memory_mb_used=32768) for index in range(80)]
    rows = _explain(hosts, make_spec()).refusals
    assert len(rows) == MAX_ROWS and sum(row.filter == "RamFilter" for row in rows) == MAX_ROWS - 1


def test_a_success_tells_less() -> None:
    hosts = [make_host("good"), *(make_host(f"down{index}", unusable="is down") for index in range(100))]
    found = _explain(hosts, make_spec())
    assert len(found.refusals) == MAX_ROWS_ON_SUCCESS and found.counts == {"ComputeFilter": 100}


def test_the_nearest_miss_lacks_the_smallest_share() -> None:
    hosts = [
        make_host("far", memory_mb=1024),
        make_host("near", memory_mb=1536),
        make_host("down", memory_mb=2047, unusable="is down"),
    ]
    assert _explain(hosts, make_spec(memory_mb=2048)).nearest == "near short of 512 MB"


def test_the_nearest_miss_names_every_resource_that_lacks() -> None:
    hosts = [make_host("only", memory_mb=1536, vcpus=1, local_gb=100)]
    spec = make_spec(memory_mb=2048, vcpus=2, disk_gb=5)
    assert _explain(hosts, spec).nearest == "only short of 512 MB and 1 vCPUs"


def test_there_is_no_near_miss_where_resources_are_not_what_lacks() -> None:
    assert _explain([make_host(unusable="is down")], make_spec()).nearest is None
    assert _explain([], make_spec()).nearest is None


def test_the_users_sentence_has_no_host_names() -> None:
    found = _explain([make_host("secret-host", memory_mb=64)], make_spec(), "claim race: 2 claim(s) lost")
    assert found.nearest and "secret-host" in found.nearest
    assert found.summary() == "1 host(s) considered: refused 1 by RamFilter; claim race: 2 claim(s) lost."


def test_a_cloud_without_hosts_says_so() -> None:
    assert _explain([], make_spec()).summary() == "There are no compute hosts."
