"""The two forms of diagnostics."""

from __future__ import annotations

import pytest

from nova_lite.api.openstack.compute.views import diagnostics as views
from nova_lite.objects import CpuDiagnostics, Diagnostics, DiskDiagnostics, NicDiagnostics
from tests.harness.contract import fields, material, shape

FOUND = Diagnostics(
    state="running", driver="libvirt", hypervisor="kvm", hypervisor_os="ubuntu", memory_maximum_mb=512,
    memory_used_mb=1, config_drive=True, uptime_s=9, cpus=(CpuDiagnostics(0, 17300000000, 15),),
    disks=(DiskDiagnostics("vda", 262144, 112, 5778432, 488, 1),),
    nics=(NicDiagnostics("vnet1", "01:23:45:67:89:ab", 2070139, 26701, 100, 200, 300, 140208, 662, 400, 500, 600),),
)  # fmt: skip


@pytest.fixture(scope="module")
def contract() -> None:
    try:
        material.location()
    except material.ContractMissing as error:
        pytest.skip(str(error))


def test_the_fixed_form_is_the_contracts(contract: None) -> None:
    view = views.fixed(FOUND)
    assert fields.check("GET /servers/{server_id}/diagnostics", (2, 48), view) == []
    sample = material.sample("os-server-diagnostics/v2.48/server-diagnostics-get-resp.json")
    assert shape.compare(sample, view) == []
    assert view == {**sample, "memory_details": {"maximum": 512, "used": 1}, "uptime": 9}


def test_the_free_form_has_the_names_of_the_sample(contract: None) -> None:
    sample = material.sample("os-server-diagnostics/server-diagnostics-get-resp.json")
    view = views.free(FOUND)
    assert view == {
        **sample, "vda_errors": 1, "vnet1_rx_drop": 200, "vnet1_rx_errors": 100, "vnet1_tx_drop": 500,
        "vnet1_tx_errors": 400,
    }  # fmt: skip
