"""Volumes and interfaces that come to a guest or leave it: what the guest has afterwards is what happened.

A hypervisor may do its work and say then that it failed: the answer was lost, or came too late. So whoever hears of a
failure looks at the guest, and believes the guest.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from nova_lite import exception
from nova_lite.compute import steps
from nova_lite.compute.host import ComputeHost
from nova_lite.objects import BlockDevice, Instance, Vif
from nova_lite.virt.driver import Guest

LOG = logging.getLogger(__name__)

# Raised before the hypervisor was asked at all.
_NOT_ITS_WORD = (exception.StaleWrite, exception.ServiceStopping, exception.HostFenced)
# The ids of what a guest has; None: the driver does not look.
_Look = Callable[[Guest], tuple[str, ...] | None]


def attach_volume(host: ComputeHost, instance: Instance, device: BlockDevice) -> None:
    """As the driver's. :raises steps.NotNow: it failed, and nobody can say what the guest has."""
    driver: Any = host.driver
    _do(host, instance, lambda: driver.attach_volume(instance, device), _volumes, come=device.volume_id)


def detach_volume(host: ComputeHost, instance: Instance, device: BlockDevice) -> None:
    """As the driver's. :raises steps.NotNow: see above."""
    driver: Any = host.driver
    _do(host, instance, lambda: driver.detach_volume(instance, device), _volumes, gone=device.volume_id)


def swap_volume(host: ComputeHost, instance: Instance, old: BlockDevice, new: BlockDevice) -> None:
    """As the driver's. :raises steps.NotNow: see above, or half of it is done: there is no way back."""
    driver: Any = host.driver
    try:
        _do(
            host, instance, lambda: driver.swap_volume(instance, old, new), _volumes, come=new.volume_id,
            gone=old.volume_id,
        )  # fmt: skip
    except _NOT_ITS_WORD:
        raise
    except Exception as error:
        if has_volume(host, instance, new):
            raise steps.NotNow from error
        raise


def has_volume(host: ComputeHost, instance: Instance, device: BlockDevice) -> bool:
    """Whether the guest is known to have it. :raises steps.NotNow: the hypervisor does not say what it has."""
    return device.volume_id in (_has(host, instance, _volumes) or ())


def attach_interface(host: ComputeHost, instance: Instance, vif: Vif) -> None:
    """As the driver's. :raises steps.NotNow: see above."""
    driver: Any = host.driver
    _do(host, instance, lambda: driver.attach_interface(instance, vif), _interfaces, come=vif.id)


def detach_interface(host: ComputeHost, instance: Instance, vif: Vif) -> None:
    """As the driver's. :raises steps.NotNow: see above."""
    driver: Any = host.driver
    _do(host, instance, lambda: driver.detach_interface(instance, vif), _interfaces, gone=vif.id)


def _do(
    host: ComputeHost,
    instance: Instance,
    call: Callable[[], None],
    look: _Look,
    come: str | None = None,
    gone: str | None = None,
) -> None:
    """Do the call; an error of one after which the guest has what shall come, and not what shall go, is none."""
    try:
        call()
    except _NOT_ITS_WORD:
        raise
    except Exception as error:
        has = _has(host, instance, look)
        if has is None or (come is not None and come not in has) or gone in has:
            raise
        LOG.warning("Guest %s: the hypervisor failed and has done what it should: %s", instance.uuid, error)


def _has(host: ComputeHost, instance: Instance, look: _Look) -> tuple[str, ...] | None:
    """A guest that is not there has nothing. :raises steps.NotNow: the hypervisor does not answer."""
    try:
        guest = host.driver.find_guest(instance.uuid)
    except Exception as error:
        raise steps.NotNow from error
    return () if guest is None else look(guest)


def _volumes(guest: Guest) -> tuple[str, ...] | None:
    return guest.volumes


def _interfaces(guest: Guest) -> tuple[str, ...] | None:
    return guest.interfaces
