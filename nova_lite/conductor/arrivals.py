"""Live migrations that are given up in the middle: row, interfaces and volumes go to where the guest is.

An administrator's reset ends the operation that would have seen to it, and nobody knows at that moment on which side
the guest will be. So a small operation takes its place: it runs beside whatever else the server does, and is tried
until all that is bound is where the guest is. Until it is known where that is, nothing else begins: it might start a
second guest. In the caller's transaction, all of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.conf import CONF
from nova_lite.db.api import migrations, operations, services
from nova_lite.liveness import COMPUTE, dead_hosts
from nova_lite.objects import BlockDevice, Instance, Migration, MigrationStatus, MigrationType, Operation

_GIVEN_UP = (MigrationStatus.ERROR, MigrationStatus.CANCELLED, MigrationStatus.FAILED)
# Turns of a live migration in which the guest may go over, or has.
_ON_THE_WAY = ("migrate", "undo")
# Those before: the destination makes ready what it needs.
_BEFORE = ("check", "retry")
_UNDER_WAY = (MigrationStatus.RUNNING, MigrationStatus.POST_MIGRATING)
# How long a guest is looked for, in seconds: then it is lost, and an operator may begin something else.
_PATIENCE_S = 3600.0
# From this service version on a host that a guest was sent to can be asked whether it came.
_CAN_SAY = 4


def sent_to(instance: Instance, host: str) -> Migration | None:
    """The move that sent the guest last, if that was a live one from where its row is to ``host``, and given up."""
    last = _last_sent(instance)
    if last is None or not was_given_up(last):
        return None
    return last if (last.source_compute, last.dest_compute) == (instance.host, host) else None


def _last_sent(instance: Instance) -> Migration | None:
    return newest_sent(migrations.list({"instance_uuid": instance.uuid}, newest_first=True))


def newest_sent(moves: Iterable[Migration]) -> Migration | None:
    """Of a server's moves, newest first, the first but for live ones that were given up before their guest was sent.

    Whoever asks again when nobody could say where the guest is, and gives that up, too, hides no former move.
    """
    return next((move for move in moves if not (was_given_up(move) and _was_never_sent(move))), None)


def _was_never_sent(move: Migration) -> bool:
    if move.dest_node is None or move.operation_id is None:  # a user may have named its host; a conductor chose none
        return move.dest_node is None
    try:
        return operations.get(move.operation_id).args.get("stage") in _BEFORE
    except (exception.NotFound, exception.UnreadableObject):
        return False


def was_given_up(move: Migration) -> bool:
    """Whether it was a live one, and its end does not say where the guest is."""
    return move.migration_type == MigrationType.LIVE and move.status in _GIVEN_UP


def followed(before: Instance, now: Instance) -> int:
    """The row has followed its guest: what is bound goes after it, by the operation whose id is answered."""
    last = _last_sent(now)
    try:
        sent = {} if last is None or last.operation_id is None else operations.get(last.operation_id).args
    except (exception.NotFound, exception.UnreadableObject):
        sent = {}
    return _arrive(before, str(now.host), now.generation, sent)


def after_reset(instance: Instance, given_up: Iterable[Operation]) -> None:
    """A live migration among what was given up is settled on the host where the row is now."""
    for move in given_up:
        sent = move.args
        if move.action != actions.LIVE_MIGRATE.name:
            continue
        if sent.get("stage") == "finish" and instance.host == sent.get("dest"):
            _arrive(instance, str(instance.host), instance.generation, sent)
        elif sent.get("stage") in _ON_THE_WAY and instance.host == sent.get("source"):
            offered = [BlockDevice.from_primitive(device) for device in sent.get("devices", ())]
            _open(instance, str(instance.host), instance.generation, sent, [], _attachments(offered), undecided=True)
        elif sent.get("stage") in _BEFORE and instance.host == sent.get("source"):
            _open_unsent(instance, sent)


def after_lost_word(instance: Instance, move: Migration) -> None:
    """As :func:`after_reset`, where only the move's row can be read; ``instance`` is where its row is now."""
    sent = {"source": move.source_compute, "dest": move.dest_compute}
    if instance.host == move.dest_compute:
        _arrive(instance, str(instance.host), instance.generation, sent)
    elif move.status in _UNDER_WAY and instance.host is not None:
        _open(instance, instance.host, instance.generation, sent, [], [], undecided=True)
    elif move.dest_compute is not None and instance.host == move.source_compute:
        _open_unsent(instance, sent)


def has_gone_before(move: Operation, instance: Instance) -> bool:
    """Whether a live migration was to begin where its server is no longer: its row has followed an earlier one."""
    if move.action != actions.LIVE_MIGRATE.name or move.args.get("stage") == "finish":
        return False
    return move.args.get("source") not in (None, instance.host)


def is_undecided(instance: Instance) -> bool:
    """Whether nobody has said yet on which side of a live migration that was given up the server's guest is."""
    return any(_looks_for(each, instance) for each in operations.open_for_instance(instance.uuid))


def refuse_while_settling(instance: Instance) -> None:
    """No move begins before all that an earlier live migration left is in order.

    A live one would take that for its own; the way back of a cold one connects anew what the running guest brought.

    :raises LiveMigrationNotSettled: it is not yet.
    """
    settling = [each for each in operations.open_for_instance(instance.uuid) if each.action == actions.SETTLE.name]
    if any(each.args.get("live") and each.args["generation"] == instance.generation for each in settling):
        raise exception.LiveMigrationNotSettled(instance_uuid=instance.uuid)


def without_host(settles: Operation, instance: Instance) -> int | None:
    """The source of a guest that is looked for is down: the destination can say whether it came, and nobody else."""
    if _looks_for(settles, instance):
        sent = next((move for move in (sent_to(instance, side) for side in settles.args["sides"]) if move), None)
        if sent is not None and _can_be_asked(str(sent.dest_compute)):
            asked = {"asked": sent.dest_compute, "dest_node": sent.dest_node}
            operations.seize(settles, "compute", {**settles.args, **asked}, host=sent.dest_compute)
    return None


def is_asked(settles: Operation, instance: Instance) -> bool:
    """Whether it is the destination's turn to say whether the guest came; the server is not there."""
    return settles.args.get("asked") == settles.host and _looks_for(settles, instance)


def _can_be_asked(host: str) -> bool:
    if host in dead_hosts(CONF.operations.service_down_s):
        return False
    return any(service.version >= _CAN_SAY for service in services.list(COMPUTE, host))


def whereabouts(instance: Instance, ended: Iterable[Operation]) -> frozenset[str]:
    """Where the server's guest may be by a live migration, or the search for its guest, that was just ended."""
    found: set[str] = set()
    for each in ended:
        if each.action == actions.LIVE_MIGRATE.name and each.args.get("stage") in _ON_THE_WAY:
            found.update(_sides(each.args))
        elif _looks_for(each, instance):
            found.update(each.args["sides"])
    return frozenset(found)


def _looks_for(settles: Operation, instance: Instance) -> bool:
    if settles.action != actions.SETTLE.name or not settles.args["undecided"]:
        return False
    return actions.FOUND_STEP not in settles.steps and settles.args["generation"] == instance.generation


def _sides(sent: Mapping[str, Any]) -> list[str]:
    return [sent[name] for name in ("source", "dest") if sent.get(name)]


def _arrive(instance: Instance, host: str, generation: int, sent: Mapping[str, Any]) -> int:
    """``instance`` as it was before, ``sent`` the arguments of the operation that sent it."""
    former = {*sent.get("former", ()), *_attachments(instance.block_devices)}
    return _open(instance, host, generation, sent, sent.get("devices", []), sorted(former))


def _open_unsent(instance: Instance, sent: Mapping[str, Any]) -> None:
    """The guest is at home; what the destination held of its volumes nobody else knows: a conductor gives it back."""
    if any(device.is_volume for device in instance.block_devices):
        _open(instance, None, instance.generation, sent, [], [], unsent=True)


def _attachments(devices: Iterable[BlockDevice]) -> list[str]:
    return [device.attachment_id for device in devices if device.is_volume and device.attachment_id is not None]


def _open(
    instance: Instance, host: str | None, generation: int, sent: Mapping[str, Any], devices: list[Any],
    former: list[str],
    undecided: bool = False, **what: bool,
) -> int:  # fmt: skip
    """``devices`` are what the guest has with it, ``former`` attachments that nobody needs if it is here."""
    return operations.insert_pending(
        request_id=f"req-{uuid.uuid4()}", instance_uuid=instance.uuid, action=actions.SETTLE.name,
        project_id=instance.project_id, user_id=instance.user_id, host=host,
        topic="conductor" if host is None else "compute",
        timeout_s=_PATIENCE_S if undecided else None,
        args={
            "generation": generation, "sides": _sides(sent), "devices": devices, "former": former,
            "undecided": undecided, "live": True, **what,
        },
    )  # fmt: skip
