"""Volumes of a server that is there already, on its host: attach, detach, swap.

The volume service has reserved or marked the volume before; each verb may be done again from its beginning. What the
volume service cannot be told now is told later: until then the operation is not over. What happened to the guest is
what it has afterwards (``plugs``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from nova_lite import exception
from nova_lite.compute import actions, outcome, plugs, steps, volumes
from nova_lite.compute.host import ComputeHost
from nova_lite.context import RequestContext
from nova_lite.objects import BlockDevice, Instance, Operation

LOG = logging.getLogger(__name__)


def attach(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Connect a volume to this host and give it to the guest; a failure leaves nothing.

    :raises StaleWrite: overtaken; whoever did it sees to what was done.
    """
    found = _device(instance, operation)
    if found is None:
        _gone(host, ctxt, operation, instance)
        return
    device = found.replace(host=host.name)
    attachment_id = str(device.attachment_id)

    def work() -> dict[str, Any]:
        made = host.volume.attachment_update(ctxt, attachment_id, volumes.connector(host), device.device_name)
        connected = device.replace(connection=made.connection)
        plugs.attach_volume(host, instance, connected)
        host.volume.attachment_complete(ctxt, attachment_id)
        return {"block_devices": (connected,)}

    def undo() -> None:
        if "volumes" in host.driver.capabilities:
            plugs.detach_volume(host, instance, device)
        volumes.let_go(host, ctxt, instance, device)

    if operation.args.get("stage") == "undo":
        _take_back(host, ctxt, operation, undo)
        return
    _perform(host, ctxt, operation, instance, work, undo)


def _take_back(host: ComputeHost, ctxt: RequestContext, operation: Operation, undo: Callable[[], None]) -> None:
    """It was not done in time: nothing of it stays, however far it got. :raises StaleWrite: overtaken."""
    try:
        undo()
    except (exception.StaleWrite, exception.ServiceStopping):
        raise
    except Exception as error:
        outcome.try_later(host, ctxt, operation, f"The undoing of '{operation.action}'", error)
        return
    host.conductor.progress(ctxt, operation.id, operation.attempt, actions.UNDONE_STEP, {})
    host.conductor.fail_operation(ctxt, operation.id, operation.attempt, operation.args["failure"], "", 500)


def detach(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Take a volume from the guest and give it back; where the guest keeps it, it stays attached.

    :raises StaleWrite: a delete overtook it, which gives back everything.
    """
    device = _device(instance, operation)
    if device is None:  # another detach was quicker
        power_state = host.driver.power_state(instance)
        host.conductor.finish_operation(ctxt, operation.id, operation.attempt, power_state, {})
        return

    def work() -> dict[str, Any]:
        plugs.detach_volume(host, instance, device)
        _told(lambda: volumes.let_go(host, ctxt, instance, device))
        return {}

    _perform(host, ctxt, operation, instance, work, lambda: _unmark(host, ctxt, device))


def swap(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Copy one volume into another under the running guest, which then has the other.

    Once the server's row says so there is no way back: only the volume service has to be told. One that was not done
    in time is taken back, unless the guest has the other by now. :raises StaleWrite: overtaken.
    """
    if operation.noted(actions.SWAPPED_STEP) is not None:
        _perform(host, ctxt, operation, instance, lambda: _tell_of_swap(host, ctxt, operation), _no_way_back)
        return
    old = _device(instance, operation)
    if old is None:
        _gone(host, ctxt, operation, instance)
        return
    new = _other(host, operation, old)
    written: list[Operation] = []

    def work() -> dict[str, Any]:
        found = host.volume.attachment_update(
            ctxt, str(new.attachment_id), volumes.connector(host), new.device_name
        )
        connected = new.replace(connection=found.connection)
        # From now on nobody makes the guest anew before it is known which volume it has.
        host.conductor.progress(ctxt, operation.id, operation.attempt, actions.COPYING_STEP, {})
        plugs.swap_volume(host, instance, old, connected)
        # Before anything else may make the guest anew, of what its server's row has. Said, it may be written.
        step = actions.SWAPPED_STEP + str(old.attachment_id)
        written.append(operation.replace(steps=(*operation.steps, step)))
        host.conductor.progress(ctxt, operation.id, operation.attempt, step, {"block_devices": (connected,)})
        return _tell_of_swap(host, ctxt, written[0])

    def undo() -> None:
        if written or plugs.has_volume(host, instance, new):  # also where a former try has gone so far
            _no_way_back()
        host.conductor.progress(ctxt, operation.id, operation.attempt, actions.KEPT_STEP, {})
        host.volume.attachment_delete(ctxt, str(new.attachment_id))
        _unmark(host, ctxt, old)

    try:
        too_late = operation.args.get("stage") == "undo" and not plugs.has_volume(host, instance, new)
    except steps.NotNow as error:
        outcome.try_later(host, ctxt, operation, f"The undoing of '{operation.action}'", error)
        return
    if too_late:
        _take_back(host, ctxt, operation, undo)
    else:
        _perform(host, ctxt, operation, instance, work, undo)


def _other(host: ComputeHost, operation: Operation, old: BlockDevice) -> BlockDevice:
    """The device as it is after the swap."""
    args = operation.args
    return old.replace(
        uuid=args["volume_id"], volume_id=args["volume_id"], attachment_id=str(args["attachment_id"]), host=host.name,
        volume_size=args["volume_size"],
    )  # fmt: skip


def _tell_of_swap(host: ComputeHost, ctxt: RequestContext, operation: Operation) -> dict[str, Any]:
    """Say who has which volume now. Where the guest was made anew meanwhile, that was said by who made it.

    :raises NotNow: the volume service does not listen.
    """
    _told(lambda: host.volume.attachment_complete(ctxt, str(operation.args["attachment_id"])))
    _told(lambda: host.volume.attachment_delete(ctxt, str(operation.noted(actions.SWAPPED_STEP))))
    return {"block_devices": ()}


def _no_way_back() -> None:
    raise steps.NotNow


def _device(instance: Instance, operation: Operation) -> BlockDevice | None:
    """The device that the operation is about; None where the server has lost it meanwhile."""
    wanted = (device for device in instance.block_devices if device.bdm_uuid == operation.args["bdm_uuid"])
    return next(wanted, None)


def _gone(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Say that the device was taken away; what an attach or a swap had reserved for it was given back with it."""
    attachment_id = operation.args.get("attachment_id")
    if attachment_id is not None:
        try:
            host.volume.attachment_delete(ctxt, attachment_id)
        except exception.NovaLiteError as error:
            outcome.try_later(host, ctxt, operation, "Giving a volume back", error)
            return
    missing = exception.VolumeNotAttached(instance_uuid=instance.uuid, volume_id=operation.args["bdm_uuid"])
    outcome.fail(host, ctxt, operation, instance, missing)


def _unmark(host: ComputeHost, ctxt: RequestContext, device: BlockDevice) -> None:
    """The volume is no longer on its way out, if it was."""
    try:
        host.volume.roll_detaching(ctxt, str(device.volume_id))
    except exception.VolumeNotFound:
        return


def _told(tell: Callable[[], None]) -> None:
    try:
        tell()
    except exception.NotFound:
        return
    except exception.NovaLiteError as error:
        raise steps.NotNow from error


def _perform(
    host: ComputeHost,
    ctxt: RequestContext,
    operation: Operation,
    instance: Instance,
    work: Callable[[], dict[str, Any]],
    undo: Callable[[], None],
) -> None:
    """Do the work and report it, or undo it and report that; what can do neither is tried again later.

    Who was overtaken undoes nothing: what it began may be another's by now, who gives it back or goes on with it.
    """
    row = actions.by_name(operation.action, operation.args)
    try:
        outcome.require(host, row)
        report = work()
        host.conductor.finish_operation(
            ctxt, operation.id, operation.attempt, host.driver.power_state(instance), report
        )
    except (exception.StaleWrite, exception.ServiceStopping):
        raise
    except steps.NotNow as error:
        outcome.try_later(host, ctxt, operation, f"'{row.verb}'", error)
    except Exception as error:
        host.conductor.look_again(ctxt, operation.id, operation.attempt)  # proves that it is still ours to undo
        if not _undo(undo, instance):
            outcome.try_later(host, ctxt, operation, f"'{row.verb}'", error)
            return
        host.conductor.progress(ctxt, operation.id, operation.attempt, actions.UNDONE_STEP, {})
        outcome.fail(host, ctxt, operation, instance, error)


def _undo(undo: Callable[[], None], instance: Instance) -> bool:
    """Whether it worked."""
    try:
        undo()
    except exception.ServiceStopping:
        raise
    except Exception:
        LOG.exception("A volume of %s could not be given back", instance.uuid)
        return False
    return True
