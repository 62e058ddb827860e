"""Who the guest is: name, uuid and our mark with the generation."""

from __future__ import annotations

from dataclasses import replace

from nova_lite.virt.libvirt.build.request import GuestRequest
from nova_lite.virt.libvirt.xml.domain import Domain, Mark
from nova_lite.virt.libvirt.xml.element import legal


def guest_name(instance_uuid: str) -> str:
    """The domain's name; never made of what a user chose."""
    return f"instance-{instance_uuid}"


def identity(request: GuestRequest, domain: Domain) -> Domain:
    instance = request.instance
    return replace(
        domain,
        mark=Mark(
            uuid=instance.uuid,
            generation=instance.generation,
            name=legal(instance.display_name)[:255],
            project_id=legal(instance.project_id),
            user_id=legal(instance.user_id),
            flavor=legal(instance.flavor.name),
            image_id=legal(instance.image_ref) or None,
        ),
    )
