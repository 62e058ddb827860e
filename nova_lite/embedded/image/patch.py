"""PATCH of an image: JSON patch in Glance's dialect, where a path has one segment (tags may have an index)."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.embedded.image import fields
from nova_lite.embedded.image.records import QUEUED, Image
from nova_lite.embedded.image.rules import Caller

CONTENT_TYPE = "application/openstack-images-v2.1-json-patch"
CONTENT_TYPES = (CONTENT_TYPE, "application/openstack-images-v2.0-json-patch")
MAX_OPERATIONS = 500


def apply(image: Image, body: Any, caller: Caller) -> Image:
    """The image after all operations, or an error and no change.

    :raises Invalid: not a patch, or a value that an attribute cannot have.
    :raises Forbidden: an attribute that this caller may not write.
    :raises Conflict: a property to be replaced or removed that is not there.
    """
    if not isinstance(body, list) or len(body) > MAX_OPERATIONS:
        raise exception.Invalid("Request body must be a JSON array of operation objects.")
    for operation in body:
        verb, path, value = _parsed(operation)
        if path[0] == "tags" and len(path) == 2:
            image = image.changed(tags=fields.checked("tags", _indexed(list(image.tags), verb, path[1], value)))
        elif len(path) > 1:
            raise exception.Invalid(f"Invalid JSON pointer for this resource: {operation['path']!r:.255}")
        elif verb == "remove":
            image = _removed(image, path[0])
        else:
            image = _assigned(image, path[0], value, caller, must_exist=verb == "replace")
    return fields.check_counts(image)


def _parsed(operation: Any) -> tuple[str, list[str], Any]:
    """Verb, path and value; the form of the older media type, {"add": "/x", "value": 1}, too."""
    if not isinstance(operation, dict):
        raise exception.Invalid("Operations must be JSON objects.")
    verb, pointer = operation.get("op"), operation.get("path")
    if verb is None:
        verb = next((each for each in ("add", "replace", "remove") if each in operation), None)
        pointer = operation.get(verb) if verb else None
    if verb not in ("add", "replace", "remove"):
        raise exception.Invalid(f"Operations must be add, replace or remove, not {verb!r:.32}.")
    if not isinstance(pointer, str) or not pointer.startswith("/") or pointer == "/":
        raise exception.Invalid(f'Pointer {pointer!r:.255} does not start with "/" and a name.')
    if verb != "remove" and "value" not in operation:
        raise exception.Invalid(f'Operation "{verb}" requires a member named "value".')
    path = [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]
    return verb, path, operation.get("value")


def _indexed(tags: list[Any], verb: str, index: str, value: Any) -> list[Any]:
    if verb == "add" and index == "-":
        return [*tags, value]
    place = int(index) if index.isascii() and index.isdigit() and len(index) < 6 else -1
    if not 0 <= place < len(tags) + (verb == "add"):
        raise exception.Invalid(f"There is no tag at {index!r:.32}")
    if verb == "add":
        tags.insert(place, value)
    elif verb == "replace":
        tags[place] = value
    else:
        del tags[place]
    return tags


def _removed(image: Image, name: str) -> Image:
    if name in fields.READ_ONLY or name in fields.RESERVED:
        raise exception.Forbidden(f"Attribute '{name}' may not be removed.")
    if name in fields.BASE:
        raise exception.Forbidden(f"Property {name} may not be removed.")
    if name not in image.properties:
        raise exception.Conflict(f"Property {name:.255} does not exist.")
    return image.changed(properties={key: value for key, value in image.properties.items() if key != name})


def _assigned(image: Image, name: str, value: Any, caller: Caller, must_exist: bool) -> Image:
    value = fields.checked(name, value)
    if name not in fields.BASE:
        if must_exist and name not in image.properties:
            raise exception.Conflict(f"Property {name:.255} does not exist.")
        return image.changed(properties={**image.properties, name: value})
    if name == "visibility":
        caller.require_publish(value)
    if name == "owner" and not caller.is_admin:
        raise exception.Forbidden("Attribute 'owner' is read-only.")
    if name in ("disk_format", "container_format") and image.status != QUEUED and value != getattr(image, name):
        raise exception.Forbidden(f"Attribute {name} can be only replaced for a queued image.")
    return image.changed(**{name: value})
