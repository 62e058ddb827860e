"""What the nouns can say of themselves. That they travel is tests/contracts/test_objects.py."""

from __future__ import annotations

import pytest

from nova_lite import objects
from nova_lite.objects.flavor import quota_counts


def _flavor(**values: int) -> objects.Flavor:
    return objects.Flavor("1", "f", **{"vcpus": 1, "memory_mb": 512, "root_gb": 1, **values})


@pytest.mark.parametrize(
    ("sizes", "disk_gb"),
    [
        ({"root_gb": 0}, 0),
        ({"root_gb": 10, "ephemeral_gb": 5}, 15),
        ({"root_gb": 1, "swap_mb": 1}, 2),
        ({"root_gb": 1, "swap_mb": 1024}, 2),
        ({"root_gb": 1, "swap_mb": 1025}, 3),
    ],
)
def test_a_flavor_claims_its_disks_with_swap_rounded_up(sizes: dict[str, int], disk_gb: int) -> None:
    assert _flavor(**sizes).disk_gb == disk_gb


def test_quota_counts_each_server() -> None:
    assert quota_counts([]) == {"instances": 0, "cores": 0, "ram": 0}
    two = [_flavor(vcpus=2, memory_mb=100), _flavor(vcpus=3, memory_mb=50)]
    assert quota_counts(two) == {"instances": 2, "cores": 5, "ram": 150}


def test_a_request_asks_for_what_its_flavor_has() -> None:
    spec = objects.RequestSpec("u", "p", "user", _flavor(vcpus=3, memory_mb=77))
    assert (spec.vcpus, spec.memory_mb) == (3, 77)


def test_open_operations_are_those_with_work_left() -> None:
    left = set(objects.OperationState) - set(objects.OPEN_STATES)
    assert left == {objects.OperationState.DONE, objects.OperationState.FAILED}


def test_a_diagnosis_counts_refusals_and_names_no_host() -> None:
    refusals = tuple(objects.Verdict(f"secret{number}", "n", "RamFilter", "no") for number in range(2))
    refusals += (objects.Verdict("secret9", "n", "DiskFilter", "no"),)
    summary = objects.Diagnosis(considered=3, refusals=refusals).summary()
    assert "3 host" in summary and "1 by DiskFilter" in summary and "2 by RamFilter" in summary
    assert "secret" not in summary


def test_a_diagnosis_without_hosts_says_so() -> None:
    assert objects.Diagnosis().summary() == "There are no compute hosts."


def test_a_changed_copy_leaves_the_original() -> None:
    one = _flavor()
    two = one.replace(vcpus=9)
    assert (one.vcpus, two.vcpus) == (1, 9)
