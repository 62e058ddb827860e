"""The controllers of servers and of what lies below one."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg

from nova_lite.api.openstack.compute.addresses import AddressesController
from nova_lite.api.openstack.compute.attach_interfaces import AttachInterfacesController
from nova_lite.api.openstack.compute.cold_moves import ColdMovesController
from nova_lite.api.openstack.compute.console_auth_tokens import ConsoleAuthTokensController
from nova_lite.api.openstack.compute.evacuate import EvacuateController
from nova_lite.api.openstack.compute.instance_actions import InstanceActionsController
from nova_lite.api.openstack.compute.migrate_live import MigrateLiveController
from nova_lite.api.openstack.compute.remote_consoles import RemoteConsolesController
from nova_lite.api.openstack.compute.security_groups import SecurityGroupsController
from nova_lite.api.openstack.compute.server_actions import ServerActionsController
from nova_lite.api.openstack.compute.server_images import ServerImagesController
from nova_lite.api.openstack.compute.server_migrations import ServerMigrationsController
from nova_lite.api.openstack.compute.servers import ServersController
from nova_lite.api.openstack.compute.volume_attachments import VolumeAttachmentsController
from nova_lite.compute.api import API


def controllers(conf: cfg.ConfigOpts, compute: API) -> dict[str, Any]:
    """By name, as the rows of the table name them."""
    return {
        "addresses": AddressesController(),
        "attach_interfaces": AttachInterfacesController(compute),
        "cold_moves": ColdMovesController(compute),
        "evacuate": EvacuateController(compute),
        "instance_actions": InstanceActionsController(),
        "console_auth_tokens": ConsoleAuthTokensController(compute),
        "migrate_live": MigrateLiveController(compute),
        "remote_consoles": RemoteConsolesController(compute),
        "security_groups": SecurityGroupsController(compute),
        "server_actions": ServerActionsController(compute),
        "server_images": ServerImagesController(compute, conf),
        "server_migrations": ServerMigrationsController(compute),
        "servers": ServersController(compute, conf),
        "volume_attachments": VolumeAttachmentsController(compute),
    }
