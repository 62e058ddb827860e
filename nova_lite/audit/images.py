"""Images that servers were put into belong to an operation that went well, and have their data (I5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nova_lite.audit.finding import Complaint, Repair, Rule
from nova_lite.audit.world import World
from nova_lite.compute import actions
from nova_lite.objects import Operation, OperationState

_SERVER = "instance_uuid"


def _shelved(world: World) -> dict[str, str]:
    """The images that hold servers, and whose."""
    held = {server.uuid: server.system_metadata.get("shelved_image_id") for server in world.servers.values()}
    return {str(image_id): uuid for uuid, image_id in held.items() if image_id}


def _awaited(world: World) -> frozenset[str]:
    """Images that may still come to something: a request that died before it was accepted lets go of its own later."""
    open_ids = {each.id for each in world.operations if world.is_under_way(each) and not world.strict}
    return frozenset(
        each.image_id for each in world.promises
        if not each.is_due and (each.operation_id is None or each.operation_id in open_ids)
    )  # fmt: skip


def _promises(world: World) -> Iterable[Complaint]:
    awaited = _awaited(world)
    for promise in world.promises:
        if promise.image_id not in awaited:
            sentence = f"image {promise.image_id} of server {promise.instance_uuid} is still provisional"
            yield Complaint("image", promise.image_id, sentence, promise.instance_uuid)


def _lost(world: World) -> Iterable[Complaint]:
    for image_id, server in _shelved(world).items():
        if world.images is not None and image_id not in world.images:
            yield Complaint("image", image_id, f"the shelved image {image_id} of server {server} is gone", server)


def _left(world: World) -> Iterable[Complaint]:
    awaited, shelved, makers = _awaited(world), _shelved(world), _makers(world)
    promised = {promise.image_id for promise in world.promises}
    for image in (world.images or {}).values():
        server = image.properties.get(_SERVER)
        if server is None or image.id in awaited or (image.id in promised and not world.strict):
            continue
        made_by = makers.get(image.id, ())
        if not made_by and not world.strict:
            continue  # made before the time we look back at, or a user's copy with its properties
        kept = any(map(_keeps, made_by))
        if image.status != "active" or not (kept or image.id in shelved):
            proof = bool(made_by) and not kept and all(each.state is OperationState.FAILED for each in made_by)
            repair = Repair.REMOVE_IMAGE if proof and image.id not in shelved else None
            sentence = f"image {image.id} ({image.name}, {image.status}) is left over"
            yield Complaint("image", image.id, sentence, server, repair=repair)


def _keeps(operation: Operation) -> bool:
    """Whether an image is its user's by an operation: it is done, or said that the image stays however it ends."""
    if operation.action == actions.SHELVE.name:
        return False
    return operation.state is OperationState.DONE or actions.IMAGE_KEPT_STEP in operation.steps


def _makers(world: World) -> Mapping[str, list[Operation]]:
    """The operations that filled each image."""
    makers: dict[str, list[Operation]] = {}
    for operation in world.operations:
        image_id = operation.args.get("image_id")
        if isinstance(image_id, str):
            makers.setdefault(image_id, []).append(operation)
    return makers


RULES = (
    Rule("promised-image-goes", "I5", "see whether the image service answers the conductors", _promises),
    Rule("shelved-image-is-there", "I5", "restore the image, or delete the server", _lost),
    Rule("image-has-maker", "I5", "delete the image if nobody wants it", _left),
)
