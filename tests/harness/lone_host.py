"""A compute host by itself: the fake driver, neighbours that are lists, a conductor that says what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from nova_lite import exception
from nova_lite.compute.host import ComputeHost
from nova_lite.context import admin_context
from nova_lite.objects import FixedIP, Instance, NetworkRequest, Operation, OperationState, Vif
from nova_lite.virt.fake import FakeDriver
from nova_lite.virt.fault_plan import FaultPlan
from nova_lite.volume.meta import Attachment

NAME = "here"
CTXT = admin_context()


class Conductor:
    """Writes down what it is told; at the verbs and steps in ``refuses`` the host hears that it was overtaken."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.refuses: set[str] = set()
        self.answers: dict[str, Any] = {}

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        def tell(ctxt: Any, *args: Any) -> Any:
            if verb in self.refuses or self.refuses.intersection(each for each in args if isinstance(each, str)):
                raise exception.StaleWrite(what=verb)
            self.told.append((verb, *args))
            return self.answers.get(verb)

        return tell

    def verbs(self) -> list[str]:
        return [each[0] for each in self.told]


class Network:
    """Ports by id; each call that is in ``fails`` raises once."""

    def __init__(self) -> None:
        self.ports: dict[str, str] = {}
        self.fails: list[str] = []
        self.moved: list[str] = []

    def fenced(self, check: Callable[[], object]) -> Network:
        return self

    def _strike(self, call: str) -> None:
        if call in self.fails:
            self.fails.remove(call)
            raise exception.Unavailable(f"{call} failed")

    def allocate(self, ctxt: Any, instance: Instance, requests: Any, group_ids: Any = ()) -> tuple[Vif, ...]:
        self._strike("allocate")
        self.ports.setdefault("port", instance.uuid)
        return (vif("port"),)

    def deallocate(self, ctxt: Any, instance: Instance, host: str | None = None) -> None:
        self._strike("deallocate")
        self.ports = {port: owner for port, owner in self.ports.items() if owner != instance.uuid}

    def attach(self, ctxt: Any, instance: Instance, request: NetworkRequest, key: str) -> Vif:
        self._strike("attach")
        self.ports[key] = instance.uuid
        return vif(key)

    def attached(self, ctxt: Any, instance: Instance, request: NetworkRequest, key: str) -> tuple[Vif, ...]:
        return (vif(key),) if key in self.ports else ()

    def detach(self, ctxt: Any, instance: Instance, port_id: str) -> None:
        self._strike("detach")
        self.ports.pop(port_id, None)

    def unbind(self, ctxt: Any, instance: Instance, host: str) -> None:
        """The ports stay the server's and are on no host."""
        self._strike("unbind")
        self.ports.clear()

    def move(
        self, ctxt: Any, instance: Instance, host: str, source: str | None = None, prove: Any = None
    ) -> tuple[Vif, ...]:
        if prove is not None:
            prove()
        self._strike(f"move to {host}")
        self.moved.append(host if source is None else f"{host}, of {source or 'nobody'}")
        return instance.network_info


class Volumes:
    """Attachments by id, each with its status; calls in ``fails`` raise."""

    def __init__(self, **known: str) -> None:
        self.attachments = dict(known)
        self.fails: set[str] = set()

    def attachments_of(self, ctxt: Any, instance_uuid: str) -> list[Attachment]:
        return [Attachment(each, "v", instance_uuid, status) for each, status in self.attachments.items()]

    def attachment_create(self, ctxt: Any, volume_id: str, instance_uuid: str) -> str:
        new = f"new-{len(self.attachments)}"
        self.attachments[new] = "reserved"
        return new

    def attachment_connect(
        self, ctxt: Any, volume_id: str, instance_uuid: str, connector: Any, device: Any
    ) -> Attachment:
        return self.attachment_update(ctxt, self.attachment_create(ctxt, volume_id, instance_uuid), connector, device)

    def attachment_update(self, ctxt: Any, attachment_id: str, connector: Any, device: Any) -> Attachment:
        if "attachment_update" in self.fails:
            raise exception.Unavailable("attachment_update failed")
        self.attachments[attachment_id] = "attaching"
        return Attachment(attachment_id, "v", None, "attaching", {"driver_volume_type": "fake", "data": {}})

    def attachment_complete(self, ctxt: Any, attachment_id: str) -> None:
        if attachment_id not in self.attachments:
            raise exception.VolumeAttachmentNotFound(attachment_id=attachment_id)
        self.attachments[attachment_id] = "attached"

    def attachment_delete(self, ctxt: Any, attachment_id: str) -> None:
        self.attachments.pop(attachment_id, None)


class LoneHost:
    def __init__(self, volumes: Volumes | None = None) -> None:
        self.driver = FakeDriver(NAME, FaultPlan(lambda _: None), (8, 8192, 100))
        self.conductor, self.network, self.volumes = Conductor(), Network(), volumes or Volumes()
        neighbours: tuple[Any, ...] = (self.conductor, self.network, None, self.volumes)
        self.host = ComputeHost(NAME, self.driver, *neighbours)

    def is_empty(self) -> bool:
        """Nothing of any server is here, nor with the neighbours on its behalf."""
        return not (self.driver.guests or self.driver.disks or self.network.ports or self.volumes.attachments)


def vif(port_id: str) -> Vif:
    return Vif(id=port_id, mac="fa:16:3e:00:00:01", network_id="net", label="net", fixed_ips=(FixedIP("192.0.2.9"),))


def operation(action: str, instance: Instance, steps: Iterable[str] = (), **args: Any) -> Operation:
    """An operation in this host's hands."""
    return Operation(
        id=7, request_id="r", instance_uuid=instance.uuid, action=action, project_id="p", user_id="u",
        state=OperationState.RUNNING, topic="compute", host=NAME, attempt=1, steps=tuple(steps), args=args,
    )  # fmt: skip
