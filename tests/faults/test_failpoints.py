"""A sample of the failpoint matrix: cells of each kind and of many operations. The whole of it: ``make failpoints``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.harness.cloud import until
from tests.harness.daemon import children, lives
from tests.harness.failpoints.breaker import Kind
from tests.harness.failpoints.cells import Cell, Matrix
from tests.harness.failpoints.points import POINTS
from tests.harness.failpoints.results import parse
from tests.harness.failpoints.scenarios import SCENARIOS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
# Operations, each broken at one moment of its middle.
SAMPLE = (
    ("boot several", "conductor/db.after_commit#3", Kind.CRASH),
    ("boot from volume", "compute/volume.POST attachments.after#0", Kind.RAISE),
    ("boot from snapshot", "compute/driver.spawn.after#0", Kind.CRASH),
    ("boot that fails", "compute/call.refuse_build.after#0", Kind.CRASH),
    ("boot that fails", "compute/network.GET ports.before#5", Kind.RAISE),
    ("delete with volumes", "compute/volume.DELETE attachments.after#0", Kind.CRASH),
    ("delete while building", "conductor/db.after_commit#2", Kind.CRASH),
    ("delete resized", "compute/call.hand_over.after#0", Kind.RAISE),
    ("delete shelved", "conductor/db.before_commit#1", Kind.CRASH),
    ("delete without host", "conductor/db.after_commit#0", Kind.CRASH),
    ("force delete", "compute/driver.destroy.after#0", Kind.CRASH),
    ("soft reboot", "compute/driver.reboot.after#0", Kind.HANG),
    ("pause", "compute/driver.pause.after#0", Kind.RAISE),
    ("rebuild that fails", "compute/call.fail_operation.before#0", Kind.CRASH),
    ("rebuild on a volume", "compute/driver.spawn.before#0", Kind.RAISE),
    ("rebuild on a volume", "compute/volume.DELETE attachments.before#1", Kind.RAISE),
    ("rebuild on a volume", "compute/volume.PUT attachments.after#0", Kind.RAISE),
    ("snapshot of a volume", "api/image.upload.before#0", Kind.CRASH),
    ("shelve on its host", "compute/driver.snapshot.after#0", Kind.CRASH),
    ("shelve offload", "compute/driver.delete_disks.after#0", Kind.CRASH),
    ("unshelve on its host", "compute/driver.power_on.before#0", Kind.RAISE),
    ("unshelve that fails", "compute/driver.delete_disks.before#0", Kind.CRASH),
    ("resize that fails", "compute/driver.finish_revert_migration.before#0", Kind.CRASH),
    ("resize on its host that fails", "compute/call.progress.before#1", Kind.CRASH),
    ("confirm a migration", "compute/driver.confirm_migration.after#0", Kind.DELAY),
    ("revert a migration", "compute/driver.revert_migration.after#0", Kind.CRASH),
    ("live migration with a volume", "conductor/cast.run_operation.after#1", Kind.CRASH),
    ("live migration that fails", "compute/driver.rollback_live_migration.after#0", Kind.CRASH),
    ("abort a live migration", "compute/driver.abort_live_migration.before#0", Kind.RAISE),
    ("force a live migration", "conductor/db.after_commit#0", Kind.DELAY),
    ("reset at the end of a live migration", "compute/call.guest_moved.after#0", Kind.RAISE),
    ("evacuate", "compute/driver.spawn.after#0", Kind.CRASH),
    ("evacuate a volume", "compute/volume.POST attachments.after#0", Kind.RAISE),
    ("evacuate a volume", "compute/volume.DELETE attachments.before#0", Kind.RAISE),
    ("evacuate after a reset of a live migration", "compute/driver.rollback_live_migration.after#0", Kind.CRASH),
    ("evacuate amid an attach", "compute/call.finish_operation.after#0", Kind.CRASH),
    ("evacuate in vain, and the host comes back", "compute/driver.delete_disks.before#1", Kind.CRASH),
    ("attach volume", "compute/driver.attach_volume.after#0", Kind.CRASH),
    ("attach volume that fails", "compute/call.fail_operation.after#0", Kind.CRASH),
    ("attach volume, shelved", "api/db.after_commit#0", Kind.CRASH),
    ("detach volume", "compute/volume.DELETE attachments.after#0", Kind.CRASH),
    ("attach volume, shelved", "api/db.after_commit#0", Kind.RAISE),
    ("detach volume, shelved", "api/db.before_commit#0", Kind.RAISE),
    ("swap volume", "compute/driver.swap_volume.after#0", Kind.CRASH),
    ("swap volume", "compute/driver.swap_volume.after#0", Kind.RAISE),
    ("detach volume, not at once", "compute/driver.detach_volume.before#1", Kind.RAISE),
    ("detach volume, not at once", "compute/driver.detach_volume.after#0", Kind.RAISE),
    ("reset in a cold move", "compute/volume.POST attachments.after#0", Kind.CRASH),
    ("sweep: build of a dead host", "conductor/db.after_commit#0", Kind.CRASH),
    ("sweep: build past its deadline", "conductor/volume.DELETE attachments.after#0", Kind.CRASH),
    ("sweep: swap past its deadline", "compute/volume.DELETE attachments.before#0", Kind.RAISE),
    ("chore: a leftover volume", "conductor/volume.DELETE attachments.after#0", Kind.CRASH),
    ("start: a server was evacuated", "compute/driver.destroy.after#0", Kind.CRASH),
    ("attach interface", "compute/network.POST ports.after#0", Kind.CRASH),
    ("attach interface that fails", "compute/network.DELETE ports.after#0", Kind.RAISE),
    ("detach interface", "compute/driver.detach_interface.after#0", Kind.HANG),
    ("detach interface", "compute/network.DELETE ports.after#0", Kind.RAISE),
)  # fmt: skip


@pytest.fixture(scope="module")
def running() -> Iterator[Matrix]:
    with Matrix() as made:
        yield made


@pytest.mark.parametrize(("name", "moment", "kind"), SAMPLE, ids=lambda each: str(each))
def test_an_operation_broken_at_a_moment(running: Matrix, name: str, moment: str, kind: Kind) -> None:
    result = running.run(BY_NAME[name], Cell(name, parse(moment), kind))
    assert result.complaints == []
    assert result.struck, "the operation does not come there any more: choose another moment"


@pytest.mark.parametrize("name", ["boot", "resize"])
def test_what_an_operation_passes_is_declared(running: Matrix, name: str) -> None:
    assert {moment.point for moment in running.moments(BY_NAME[name])} <= POINTS


def test_a_run_that_is_killed_leaves_nobody_behind() -> None:
    words = ["-W", "ignore", "-m", "tests.harness.failpoints.matrix", "--operation", "stop", "--jobs", "1"]
    with subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE) as run:
        assert run.stdout is not None and run.stdout.readline()
        jobs = children(run.pid)
        run.kill()
    assert jobs
    until(lambda: not any(map(lives, jobs)), 20, lambda: f"still there: {[*filter(lives, jobs)]}", 0.1)
