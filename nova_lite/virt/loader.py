"""Chooses the hypervisor driver; the only module that names them all."""

from __future__ import annotations

import importlib
import logging
import pathlib
from typing import Any

from nova_lite import concurrency, exception
from nova_lite.virt.driver import ComputeDriver

LOG = logging.getLogger(__name__)


def load(conf: Any, host: str, image_api: Any, or_fake: bool = False) -> ComputeDriver:
    """The driver that [compute] driver names; ``auto`` takes libvirt where it answers.

    :param or_fake: where it does not, ``auto`` takes the fake one: for clouds to try things on, and no others.
    :raises ConfigInvalid: the wanted driver cannot be loaded.
    """
    wanted = conf.compute.driver
    if wanted == "fake":
        return _fake(conf, host)
    try:
        libvirt = importlib.import_module("nova_lite.virt.libvirt.driver")
        return libvirt.load(conf, host, image_api)  # type: ignore[no-any-return]
    except (ImportError, exception.HypervisorUnavailable, exception.ConfigInvalid) as error:
        if wanted == "libvirt":
            detail = f"[compute] driver = libvirt, but libvirt cannot be used here: {error}"
            raise exception.ConfigInvalid(detail=detail) from error
        if not or_fake:
            detail = (
                f"libvirt cannot be used here: {error}. Mend that, or set [compute] driver = fake for a host whose "
                "guests exist in name only."
            )
            raise exception.ConfigInvalid(detail=detail) from error
        LOG.warning("libvirt cannot be used here (%s): guests will exist in name only (fake driver)", error)
        return _fake(conf, host)


def _calls(driver: type) -> set[str]:
    """What a fault plan may name: the driver's calls, and each round of a live migration."""
    return {name for name in dir(driver) if not name.startswith("_")} | {"live_migrate_round"}


def _fake(conf: Any, host: str) -> ComputeDriver:
    fake = importlib.import_module("nova_lite.virt.fake")
    plans = importlib.import_module("nova_lite.virt.fault_plan")
    options = conf.fake_driver
    plan = plans.FaultPlan.parse(concurrency.sleep, options.faults, options.delays)
    unknown = sorted(plan.names - _calls(fake.FakeDriver))
    if unknown:
        raise exception.ConfigInvalid(
            detail=f"[fake_driver] faults or delays: the driver has no call {', '.join(unknown)}."
        )
    directory = pathlib.Path(conf.state_path) / "fake" / host if options.persist else None
    sizes = (options.vcpus, options.memory_mb, options.local_gb)
    return fake.FakeDriver(host, plan, sizes, directory)  # type: ignore[no-any-return]
