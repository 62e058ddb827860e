"""The end of what makes an image of a server."""

from __future__ import annotations

from typing import Any

from nova_lite.db.api import provisional_images
from nova_lite.objects import Instance, Operation


def done(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    """The image stays. Of an operation that ends otherwise it does not: see ``conductor/leftover_images.py``."""
    kept(operation)
    return {}


def kept(operation: Operation) -> None:
    """The image is whole: it stays from now on, whatever becomes of the rest of the operation."""
    image_id = operation.args.get("image_id")
    if image_id is not None:
        provisional_images.keep(image_id)
