"""Rebuilds that ended before any host began: the server has the disk that it had, and its row says so again.

What a rebuild makes of a server stands in the row from its acceptance on, as clients expect. What stood there before
goes along with the operation. Where no turn ever began, no host can have touched the disk.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from nova_lite.compute import actions
from nova_lite.db.api import instances, operations
from nova_lite.objects import ImageMeta, Instance, Operation

# What says of a server what its disk was made of.
_FIELDS = ("image_ref", "kernel_id", "ramdisk_id", "key_name", "key_data")


def former(instance: Instance, changes: Collection[str]) -> dict[str, Any]:
    """Of what a rebuild changes, what it was: for the operation's arguments."""
    found = {name: getattr(instance, name) for name in _FIELDS if name in changes}
    return {**found, "image": None if instance.image is None else instance.image.to_primitive()}


def not_begun(operation: Operation) -> dict[str, Any]:
    """The fields of a server whose rebuild ends; nothing where a host had its turn, or an older API accepted it."""
    was: Mapping[str, Any] | None = operation.args.get("former")
    if was is None or operations.events_of(operation.id):
        return {}
    image = was["image"]
    return {**was, "image": None if image is None else ImageMeta.from_primitive(image)}


def put_back(ended: Iterable[Operation]) -> None:
    """These were given up for something stronger. In its transaction."""
    for each in ended:
        values = not_begun(each) if each.action == actions.REBUILD.name else {}
        if values:
            instances.update_if(each.instance_uuid, values)
