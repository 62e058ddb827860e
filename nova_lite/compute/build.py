"""Building a server on its host: network, disks, guest; each step recorded, all undone when one fails."""

from __future__ import annotations

import logging
import traceback

from nova_lite import exception
from nova_lite.compute import outcome, steps, volumes
from nova_lite.compute.host import ComputeHost
from nova_lite.compute.task_states import TaskState
from nova_lite.context import RequestContext
from nova_lite.objects import BlockDevice, Instance, NetworkRequest, Operation, Vif

LOG = logging.getLogger(__name__)

# What another host would refuse as well: the request itself cannot be built.
_HOPELESS = (exception.Invalid, exception.NotFound, exception.Forbidden)


def build(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Build, and report; after a failure nothing of the server is left here. What keeps something is tried again.

    :raises StaleWrite: a delete or another worker overtook this one; what was built is undone.
    """
    plan = _steps(host, ctxt, operation, instance)

    def record(step: str, values: dict[str, object]) -> None:
        if step == plan[-1].name:
            host.conductor.finish_operation(
                ctxt, operation.id, operation.attempt, host.driver.power_state(instance), {}
            )
        else:
            host.conductor.progress(ctxt, operation.id, operation.attempt, step, values)

    try:
        steps.run(plan, record, f"Build of {instance.uuid}")
    except (exception.StaleWrite, exception.ServiceStopping):
        raise
    except steps.NotNow as error:
        outcome.try_later(host, ctxt, operation, "A build", error)
    except Exception as error:
        LOG.exception("Build of %s failed", instance.uuid)
        host.conductor.refuse_build(
            ctxt, operation.id, operation.attempt, reason_of(error, instance), traceback.format_exc(),
            not isinstance(error, _HOPELESS),
        )  # fmt: skip


def reason_of(error: Exception, instance: Instance) -> str:
    """A sentence that a user may read: our own refusals as they are, a fault of ours without its insides."""
    if isinstance(error, exception.NovaLiteError) and error.status < 500:
        return str(error)
    return f"Build of instance {instance.uuid} aborted: {type(error).__name__}"


def _steps(
    host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance
) -> tuple[steps.Step, ...]:
    wanted = tuple(NetworkRequest(**request) for request in operation.args.get("networks", ()))
    group_ids = tuple(operation.args.get("security_groups", ()))
    vifs: list[Vif] = []
    devices: list[BlockDevice] = [*instance.block_devices]
    with_volumes = volumes.has_volumes(instance)

    def network() -> dict[str, object]:
        vifs[:] = host.network.allocate(ctxt, instance, wanted, group_ids)
        task = TaskState.BLOCK_DEVICE_MAPPING if with_volumes else TaskState.SPAWNING
        return {"network_info": tuple(vifs), "task_state": task}

    def connect() -> dict[str, object]:
        devices[:] = volumes.connect_all(host, ctxt, operation, instance).block_devices
        return {"block_devices": tuple(devices), "task_state": TaskState.SPAWNING}

    def disconnect() -> None:
        # What connect_all could neither finish nor undo is written down all the same.
        if devices == [*instance.block_devices]:
            devices[:] = host.conductor.look_again(ctxt, operation.id, operation.attempt).block_devices
        volumes.give_up(host, ctxt, volumes.held(here(), host.name))

    def here() -> Instance:
        """The server with its volumes as this host has them."""
        return instance.replace(block_devices=tuple(devices))

    def disks() -> dict[str, object]:
        host.driver.create_disks(ctxt, instance)
        return {}

    def guest() -> dict[str, object]:
        host.driver.spawn(here(), tuple(vifs))
        return {}

    return (
        steps.Step("network", network, lambda: host.network.deallocate(ctxt, instance, host.name), lasts=True),
        *((steps.Step("volumes", connect, disconnect, lasts=True),) if with_volumes else ()),
        steps.Step("disks", disks, lambda: host.driver.delete_disks(instance)),
        steps.Step("guest", guest, lambda: host.driver.destroy(instance)),
    )
