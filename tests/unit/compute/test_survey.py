"""What a host says that it has: everything once, in batches that fit together."""

from __future__ import annotations

from nova_lite.compute import survey
from nova_lite.compute.power_states import PowerState
from nova_lite.objects import Presence
from nova_lite.virt.fake import FakeDriver
from nova_lite.virt.fake.base import FakeGuest
from nova_lite.virt.fault_plan import FaultPlan


def _driver() -> FakeDriver:
    driver = FakeDriver("host1", FaultPlan(lambda _: None), (8, 1024, 10))
    driver.guests["b"] = FakeGuest("b", "b", PowerState.RUNNING, 4, rescue_image="image", volumes={"v2": "", "v1": ""})
    driver.disks |= {"b", "a"}
    driver.incoming["c"] = 7
    return driver


def test_guests_disks_and_what_is_expected_are_one_list() -> None:
    assert survey.whole(_driver()) == [
        Presence("a", has_disks=True),
        Presence("b", int(PowerState.RUNNING), 4, has_disks=True, rescued=True, volumes=("v1", "v2")),
        Presence("c", is_expected=True),
    ]


def test_batches_are_the_whole() -> None:
    driver, after, found = _driver(), None, []
    for _ in range(3):
        batch = survey.batch(driver, after, limit=1)
        found += batch.presences
        after = batch.after
    assert after is None
    assert found == survey.whole(driver)
    assert survey.batch(driver, None).after is None
