"""From a server and its disks to a running guest: a fresh definition each time, then start."""

from __future__ import annotations

import logging
from dataclasses import replace

from nova_lite import clock, concurrency, exception
from nova_lite.objects import Instance, Vif
from nova_lite.virt.libvirt import configdrive
from nova_lite.virt.libvirt.build import properties
from nova_lite.virt.libvirt.build.guest import build_domain
from nova_lite.virt.libvirt.build.request import GuestRequest
from nova_lite.virt.libvirt.disks import Disks
from nova_lite.virt.libvirt.host import Host
from nova_lite.virt.libvirt.layout import Layout
from nova_lite.virt.libvirt.options import Options
from nova_lite.virt.libvirt.xml.element import to_xml

LOG = logging.getLogger(__name__)


class Launcher:
    def __init__(self, host: Host, disks: Disks, options: Options) -> None:
        self._host = host
        self._disks = disks
        self._options = options

    def launch(self, instance: Instance, vifs: tuple[Vif, ...]) -> None:
        """Define and start the guest, from saved memory where there is some.

        :raises BuildFailed: its disks are missing, or this host cannot make what it needs.
        """
        started = clock.monotonic()
        domain = build_domain(self._request(instance, vifs))
        self._host.define(to_xml(domain))
        self._host.guest(instance.uuid).start()
        LOG.info("instance %s started in %.2f s", instance.uuid, clock.monotonic() - started)

    def _request(self, instance: Instance, vifs: tuple[Vif, ...]) -> GuestRequest:
        layout = self._disks.find(instance.uuid)
        if layout is None:
            raise exception.BuildFailed(instance_uuid=instance.uuid, reason="its disks are missing")
        return GuestRequest(
            instance=instance,
            layout=self._with_config_drive(layout, instance, vifs),
            options=self._options,
            console_log=self._disks.paths(instance.uuid).console_log,
            vifs=vifs,
            properties=properties.read(instance.image),
            virt_type=self._host.virt_type,
            arch=self._host.arch,
        )

    def _with_config_drive(self, layout: Layout, instance: Instance, vifs: tuple[Vif, ...]) -> Layout:
        forced = self._options.force_config_drive and configdrive.maker() is not None
        if not (instance.config_drive or forced):
            return layout
        paths = self._disks.paths(instance.uuid)
        drive = concurrency.run_blocking(configdrive.ensure, paths, instance, vifs)
        return replace(layout, disks=(*layout.disks, drive))
