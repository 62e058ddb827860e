"""A server's volumes on this host: what is reserved becomes connected, and what was connected is given up.

The volume service knows each use of a volume by an attachment: reserved for a server, then connected to a host, then
complete. An attachment is written down with its host before it is connected, and that write proves that its writer
still holds the operation: nobody connects, or gives up, what a newer worker has. What a crash left unwritten is found
by its server, and removed by the next who proves the same.
"""

from __future__ import annotations

import contextlib
import functools
import platform
from collections.abc import Callable, Collection, Iterable, Mapping

from nova_lite import exception
from nova_lite.compute.host import ComputeHost
from nova_lite.context import RequestContext
from nova_lite.objects import BlockDevice, Instance, Operation
from nova_lite.volume import reserving

STEP = "volumes claimed"
CONNECTED = "volumes"
# A device in its new place; attachments that are made for it are added to the list.
Arranged = Callable[[BlockDevice, list[str]], BlockDevice]


def connector(host: ComputeHost) -> dict[str, object]:
    """Who asks for a connection, as the volume service's drivers want to know it."""
    return {
        "host": host.name,
        "ip": host.driver.inventory().host_ip or "127.0.0.1",
        "platform": platform.machine(),
        "os_type": "linux",
        "multipath": False,
    }


def has_volumes(instance: Instance) -> bool:
    return any(device.is_volume for device in instance.block_devices)


def require(host: ComputeHost) -> None:
    """:raises NotSupported: the hypervisor takes no volumes."""
    if "volumes" not in host.driver.capabilities:
        raise exception.NotSupported("The hypervisor of the server's host cannot attach volumes.")


def connect_all(
    host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance, *, reserves: bool = False,
    keeps: bool = False,
) -> Instance:
    """The server with all its volumes connected to this host and to no other, and written down so.

    Volumes that are still being made are awaited. After a failure they are given up; with ``reserves`` they stay
    reserved for the server, which is on no host, and with ``keeps`` those that are connected stay so, too: nobody else
    may have them before whoever goes on with the server does.

    :raises NotSupported: the hypervisor takes no volumes. :raises VolumeNotCreated: one never became ready.
    :raises InvalidInput: a volume is somebody else's now. :raises Unavailable: the volume service is.
    :raises StaleWrite: another worker overtook this one; nothing of this one is left.
    """
    if not has_volumes(instance):
        return instance
    require(host)
    known = {attachment.id for attachment in host.volume.attachments_of(ctxt, instance.uuid)}
    made: list[str] = []
    try:
        devices = tuple(
            _claimed(host, ctxt, operation, instance, device, known, made) for device in instance.block_devices
        )
        host.conductor.progress(ctxt, operation.id, operation.attempt, STEP, {"block_devices": devices})
    except exception.ServiceStopping:
        raise
    except BaseException as error:
        give_up(host, ctxt, made)
        _forget_unanswered(host, ctxt, operation, error)
        raise
    claimed = instance.replace(block_devices=devices)
    reached: dict[str | None, dict[str, object]] = {}
    try:
        give_up(host, ctxt, known - set(held(claimed)))
        return instance.replace(block_devices=tuple(_connect(host, ctxt, device, reached) for device in devices))
    except exception.ServiceStopping:
        raise
    except BaseException:
        if reserves:
            disconnect_all(host, ctxt, operation, claimed)
        elif keeps:
            with contextlib.suppress(exception.Unavailable):
                _keep(host, ctxt, operation, claimed, reached)
        else:
            give_up(host, ctxt, held(claimed))
        raise


def connect_for_good(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> Instance:
    """As :func:`connect_all`, where nothing takes it back: the row knows it before anything else can fail."""
    connected = connect_all(host, ctxt, operation, instance, keeps=True)
    if has_volumes(connected):
        devices = {"block_devices": connected.block_devices}
        host.conductor.progress(ctxt, operation.id, operation.attempt, CONNECTED, devices)
    return connected


def _claimed(
    host: ComputeHost,
    ctxt: RequestContext,
    operation: Operation,
    instance: Instance,
    device: BlockDevice,
    known: Collection[str],
    made: list[str],
) -> BlockDevice:
    """The device with an attachment that is this host's alone: its own, or one made for it (then also on ``made``).

    ``known`` are the attachments of the server. One without a host is taken over for a first guest only: of a server
    that had one, another host may be about to connect it, or to give it up.
    """
    if not device.is_volume:
        return device
    is_reserved = device.host is None and instance.launched_at is None
    if str(device.attachment_id) in known and (device.host == host.name or is_reserved):
        return device.replace(host=host.name)
    if device.is_made_here:
        host.volume.wait_available(ctxt, str(device.volume_id))
    made.append(_anew(host, ctxt, operation, instance, device))
    return device.replace(attachment_id=made[-1], host=host.name, connection={})


def _connect(
    host: ComputeHost, ctxt: RequestContext, device: BlockDevice, reached: dict[str | None, dict[str, object]]
) -> BlockDevice:
    """The device with its complete connection to this host, which already has its attachment.

    In ``reached`` each attachment gets its connection, be that completed or not.
    """
    if not device.is_volume:
        return device
    attachment = host.volume.attachment_update(ctxt, str(device.attachment_id), connector(host), device.device_name)
    reached[attachment.id] = attachment.connection
    host.volume.attachment_complete(ctxt, str(device.attachment_id))
    return device.replace(connection=attachment.connection)


def _keep(
    host: ComputeHost,
    ctxt: RequestContext,
    operation: Operation,
    claimed: Instance,
    reached: Mapping[str | None, dict[str, object]],
) -> None:
    """Connecting broke off: each volume comes to rest, connected or reserved, and the row says which.

    :raises Unavailable: the volume service still is; then that is left until somebody does something to the server.
    :raises StaleWrite: another worker overtook this one, and does it.
    """
    complete = {each.id for each in host.volume.attachments_of(ctxt, claimed.uuid) if each.is_complete}

    def at_rest(device: BlockDevice, made: list[str]) -> BlockDevice:
        connection = reached.get(device.attachment_id, device.connection)
        if device.attachment_id in complete and connection:
            return device.replace(connection=connection)
        return _reserved(host, ctxt, operation, claimed, device, made)

    _rearrange(host, ctxt, operation, claimed, at_rest)


def offer(
    host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance
) -> tuple[BlockDevice, ...]:
    """For a guest that will come here running: its devices as this host will have them, while another still does.

    They are not written down: the caller passes them on, or :func:`give_up` ends them. What a former try left behind
    goes, so that the caller must have proven before that it holds the operation. Errors as :func:`connect_all`.
    """
    if not has_volumes(instance):
        return instance.block_devices
    require(host)
    drop_others(host, ctxt, instance)
    offered: list[BlockDevice] = []
    try:
        for device in instance.block_devices:
            if not device.is_volume:
                offered.append(device)
                continue
            # In one: Cinder connects no attachment to a second host that was made before.
            attachment = host.volume.attachment_connect(
                ctxt, str(device.volume_id), instance.uuid, connector(host), device.device_name
            )
            connected = {"attachment_id": attachment.id, "host": host.name, "connection": attachment.connection}
            offered.append(device.replace(**connected))
    except BaseException as error:
        give_up(host, ctxt, held(instance.replace(block_devices=tuple(offered))))
        _forget_unanswered(host, ctxt, operation, error)
        raise
    return tuple(offered)


def take(
    host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance, offered: Iterable[BlockDevice]
) -> None:
    """The guest has come: what was offered is complete and written down, and what the other host had is given up.

    What the server lost on the way is not in its row any more: whoever took it away gave up all that held it, or it is
    given up here. :raises StaleWrite: overtaken. :raises Unavailable, NotFound: may be done again.
    """
    devices = tuple(offered)
    if not has_volumes(instance.replace(block_devices=devices)):
        return
    arrived = _still(instance, devices)
    for attachment_id in held(instance.replace(block_devices=arrived)):
        host.volume.attachment_complete(ctxt, attachment_id)
    host.conductor.progress(ctxt, operation.id, operation.attempt, STEP, {"block_devices": arrived})
    drop_others(host, ctxt, host.conductor.look_again(ctxt, operation.id, operation.attempt))


def follow(
    host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance, brought: Iterable[BlockDevice]
) -> None:
    """As :func:`take`, beside whatever else is done: of ``brought`` what is still the server's is written down.

    It replaces the operation's ``former`` attachments, which are given up; so is what the server has no more, and what
    was brought of a volume that has got another attachment since: who made that made, or will make, the guest anew.
    What was brought and is gone, with nothing in its place, is made anew. Errors as there.
    """
    offered = [device for device in brought if device.is_volume]
    former = set(operation.args["former"])
    now = {device.bdm_uuid: device.attachment_id for device in instance.block_devices}
    arrived = tuple(
        device for device in _still(instance, offered) if now[device.bdm_uuid] in (device.attachment_id, *former)
    )
    made: list[str] = []
    try:
        arrived = tuple(_completed(host, ctxt, operation, device, made) for device in arrived)
        if arrived:
            host.conductor.progress(ctxt, operation.id, operation.attempt, STEP, {"block_devices": arrived})
    except BaseException as error:
        if made:
            is_refused = isinstance(error, exception.StaleWrite)  # else it may be written all the same
            row = instance if is_refused else host.conductor.look_again(ctxt, operation.id, operation.attempt)
            give_up(host, ctxt, set(made) - set(held(row)))
        raise
    replaced = {device.bdm_uuid for device in arrived}
    kept = [*arrived, *(device for device in instance.block_devices if device.bdm_uuid not in replaced)]
    unused = {*former, *(str(device.attachment_id) for device in offered)}
    give_up(host, ctxt, unused - {device.attachment_id for device in kept})


def _completed(
    host: ComputeHost, ctxt: RequestContext, operation: Operation, device: BlockDevice, made: list[str]
) -> BlockDevice:
    """What a guest brought, or, if a rebuild that failed has given that up, another of this host (then on ``made``).

    :raises VolumeAttachmentNotFound: whoever gave it up has put another in its place meanwhile.
    """
    try:
        host.volume.attachment_complete(ctxt, str(device.attachment_id))
        return device
    except exception.VolumeAttachmentNotFound:
        now = host.conductor.look_again(ctxt, operation.id, operation.attempt)
        awaited = {device.attachment_id, *operation.args["former"]}
        if not any(each.bdm_uuid == device.bdm_uuid and each.attachment_id in awaited for each in now.block_devices):
            raise
    found = host.volume.attachment_connect(
        ctxt, str(device.volume_id), operation.instance_uuid, connector(host), device.device_name
    )
    made.append(found.id)
    host.volume.attachment_complete(ctxt, found.id)
    return device.replace(attachment_id=found.id, host=host.name, connection=found.connection)


def _still(instance: Instance, offered: Iterable[BlockDevice]) -> tuple[BlockDevice, ...]:
    """Of devices that were made ready before the guest came those that its server has still."""
    present = {(device.bdm_uuid, device.volume_id) for device in instance.block_devices}
    return tuple(device for device in offered if (device.bdm_uuid, device.volume_id) in present)


def held(instance: Instance, by: str | None = None) -> list[str]:
    """The attachments that are written down for the server; of that host only, where it is given."""
    devices = [device for device in instance.block_devices if by is None or device.host == by]
    return [device.attachment_id for device in devices if device.attachment_id is not None]


def give_up(host: ComputeHost, ctxt: RequestContext, attachment_ids: Iterable[str]) -> None:
    """Delete attachments; those that are gone are no error. :raises Unavailable: the volume service is."""
    for attachment_id in attachment_ids:
        host.volume.attachment_delete(ctxt, attachment_id)


def drop_others(host: ComputeHost, ctxt: RequestContext, instance: Instance) -> None:
    """Give up whatever hosts held before; what is written down for the server stays."""
    known = {attachment.id for attachment in host.volume.attachments_of(ctxt, instance.uuid)}
    give_up(host, ctxt, known - set(held(instance)))


def let_go(host: ComputeHost, ctxt: RequestContext, instance: Instance, device: BlockDevice) -> None:
    """The server loses a volume: no attachment of it stays.

    There may be two: who makes the guest anew beside this replaces the device's, and may have died before it gave up
    the former one. Whoever goes on with that finds a server without the volume, and looks for nothing.
    """
    attachments = host.volume.attachments_of(ctxt, instance.uuid)
    others = {each.id for each in attachments if each.volume_id == device.volume_id}
    for attachment_id in {str(device.attachment_id), *others}:
        host.volume.attachment_delete(ctxt, attachment_id)


def _forget_unanswered(
    host: ComputeHost, ctxt: RequestContext, operation: Operation, error: BaseException
) -> None:
    """An attachment whose making was not answered may be there all the same: it goes.

    :raises StaleWrite: another worker overtook this one, and does it.
    """
    if isinstance(error, exception.Unavailable):
        drop_others(host, ctxt, host.conductor.look_again(ctxt, operation.id, operation.attempt))


def disconnect_all(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> Instance:
    """The server with its volumes reserved for it but on no host: nobody takes them while it is shelved.

    :raises StaleWrite, InvalidInput, Unavailable: as :func:`connect_all`; then everything is as before.
    """
    if not has_volumes(instance):
        return instance
    return _rearrange(
        host, ctxt, operation, instance, lambda device, made: _reserved(host, ctxt, operation, instance, device, made)
    )


def _rearrange(
    host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance, arranged: Arranged
) -> Instance:
    """The server with its devices arranged so and written down; what they need no more is given up."""
    made: list[str] = []
    try:
        devices = tuple(arranged(device, made) for device in instance.block_devices)
        host.conductor.progress(ctxt, operation.id, operation.attempt, STEP, {"block_devices": devices})
    except exception.ServiceStopping:
        raise
    except BaseException as error:
        give_up(host, ctxt, made)
        _forget_unanswered(host, ctxt, operation, error)
        raise
    changed = instance.replace(block_devices=devices)
    try:
        give_up(host, ctxt, set(held(instance)) - set(held(changed)))
        drop_others(host, ctxt, changed)
    except exception.Unavailable as error:
        # Once more: what is left now is left until somebody does something to the server again.
        _forget_unanswered(host, ctxt, operation, error)
    return changed


def _reserved(
    host: ComputeHost,
    ctxt: RequestContext,
    operation: Operation,
    instance: Instance,
    device: BlockDevice,
    made: list[str],
) -> BlockDevice:
    if not device.is_volume or device.host is None:
        return device
    with contextlib.suppress(exception.VolumeNotFound):  # then nothing of it is left to give back
        made.append(_anew(host, ctxt, operation, instance, device))
        device = device.replace(attachment_id=made[-1])
    return device.replace(host=None, connection={})


def _anew(
    host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance, device: BlockDevice
) -> str:
    prove = functools.partial(host.conductor.look_again, ctxt, operation.id, operation.attempt)
    return reserving.anew(host.volume, ctxt, str(device.volume_id), instance.uuid, prove)
