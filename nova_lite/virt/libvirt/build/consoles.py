"""Serial console and display."""

from __future__ import annotations

from dataclasses import replace

from nova_lite.virt.libvirt.build.request import GuestRequest
from nova_lite.virt.libvirt.xml.devices import Controller, Graphics, Input, Serial, Video
from nova_lite.virt.libvirt.xml.domain import Domain
from nova_lite.virt.libvirt.xml.element import Flag


def serial(request: GuestRequest, domain: Domain) -> Domain:
    """A terminal for people and a log for the API; appending, so that a reboot does not erase why it was needed."""
    return replace(domain, serials=(Serial("pty", log_file=request.console_log, log_append=Flag.ON),))


def display(request: GuestRequest, domain: Domain) -> Domain:
    if not request.options.vnc_enabled:
        return replace(
            domain,
            videos=(Video("none"),),
            controllers=(*domain.controllers, Controller("usb", model="none")),
        )
    model = request.properties.video_model or ("vga" if request.arch in ("x86_64", "i686") else "virtio")
    tablet = request.properties.pointer_model != "ps2mouse"
    return replace(
        domain,
        graphics=(Graphics(listen_address=request.options.vnc_listen),),
        videos=(Video(model),),
        inputs=(Input("tablet", "usb"),) if tablet else (),
    )
