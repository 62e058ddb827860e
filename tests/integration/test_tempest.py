"""Stock tempest against the embedded cloud: a quick part of the contract's classes, as well as real Nova does them.

``make tempest`` runs them all.
"""

from __future__ import annotations

import pathlib
import subprocess

import pytest

from tests.harness import tempest
from tests.harness.contract import material

QUICK = (
    "tempest.api.compute.admin.test_availability_zone.AZAdminV2TestJSON",
    "tempest.api.compute.admin.test_flavors_microversions.FlavorsV261TestJSON",
    "tempest.api.compute.flavors.test_flavors.FlavorsV2TestJSON",
    "tempest.api.compute.keypairs.test_keypairs_v22.KeyPairsV22TestJSON",
    "tempest.api.compute.servers.test_multiple_create_negative.MultipleCreateNegativeTestJSON",
    "tempest.api.compute.test_extensions.ExtensionsTest",
    "tempest.api.compute.test_quotas.QuotasTestJSON",
)

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory):
    try:
        material.location()
    except material.ContractMissing as error:
        pytest.skip(str(error))
    setup = tempest.TOP / "bin" / "nova-lite-setup"
    done = subprocess.run([str(setup), "test", "tempest"], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    with tempest.embedded(tmp_path_factory.mktemp("tempest-cloud")) as running:
        yield running


@pytest.mark.parametrize("min_microversion", [None, "2.96"])
def test_a_quick_part_passes_as_on_real_nova(
    target: tempest.Target, tmp_path: pathlib.Path, min_microversion: str | None
) -> None:
    rows = tempest.Workspace(tmp_path / "tempest", target, min_microversion).run(QUICK, workers=2)
    print(tempest.table(rows))
    assert set(rows) == set(QUICK)
    assert tempest.unargued(rows) == []
    if min_microversion is None:
        # With a least version, tests of older behaviour skip themselves; here each class must do as well as on Nova.
        assert tempest.lost(rows) == {}
    assert sum(row.passed for row in rows.values()) >= 15
