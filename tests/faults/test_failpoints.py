"""A sample of the failpoint matrix: each operation broken at a few moments. The whole of it: ``make failpoints``."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.harness.failpoints import matrix
from tests.harness.failpoints.breaker import Kind
from tests.harness.failpoints.matrix import Matrix
from tests.harness.failpoints.scenarios import SCENARIOS, Scenario

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
# Cells of each operation; which ones they are changes from run to run, the seed is in the message.
CELLS = 2


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    with matrix.cloud(tmp_path_factory.mktemp("failpoints")) as cloud:
        made = Matrix(cloud)
        yield made
        made.close()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_an_operation_broken_at_some_moments(running: Matrix, scenario: Scenario) -> None:
    seed = random.randrange(1_000_000)
    everything = list(matrix.cells(scenario, running.moments(scenario), (Kind.CRASH, Kind.RAISE)))
    for cell in random.Random(seed).sample(everything, CELLS):
        result = running.run(scenario, cell)
        assert not result.complaints, f"seed {seed}: {cell.kind} at {cell.moment}: {result.complaints}"
