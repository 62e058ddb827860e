"""The conductor's wire door: address, version, message.

Version history: 1.0 first; 1.1 ``progress`` says the ``number`` of the word.
"""

from __future__ import annotations

import datetime
from typing import Any

from nova_lite import rpc
from nova_lite.context import RequestContext
from nova_lite.objects import ComputeNode, HostIdentity, Instance, Operation, Presence, Service

TOPIC = "conductor"
VERSION = "1.1"


class ConductorRpcAPI:
    """One method a verb of the conductor's endpoints."""

    def __init__(self, timeout_s: float | None = None) -> None:
        self._client = rpc.get_client(TOPIC, VERSION)
        self._timeout_s = timeout_s

    def run_operation(self, ctxt: RequestContext, operation_id: int) -> None:
        self._client.cast(ctxt, "run_operation", operation_id=operation_id)

    def ping(self, ctxt: RequestContext, timeout_s: float = 5.0) -> str:
        return str(self._client.call(ctxt, "ping", timeout_s=timeout_s))

    def take_operation(
        self, ctxt: RequestContext, operation_id: int, host_name: str, owner: str
    ) -> tuple[Operation, Instance] | None:
        return self._call(ctxt, "take_operation", operation_id=operation_id, host_name=host_name, owner=owner)  # type: ignore

    def look_again(self, ctxt: RequestContext, operation_id: int, attempt: int) -> Instance:
        return self._call(ctxt, "look_again", operation_id=operation_id, attempt=attempt)  # type: ignore[no-any-return]

    def progress(
        self, ctxt: RequestContext, operation_id: int, attempt: int, step: str, values: dict[str, Any],
        number: int | None,
    ) -> None:  # fmt: skip
        self._call(
            ctxt, "progress", operation_id=operation_id, attempt=attempt, step=step, values=values, number=number
        )

    def hand_over(
        self, ctxt: RequestContext, operation_id: int, attempt: int, stage: str, next_host: str | None,
        values: dict[str, Any], more: dict[str, Any],
    ) -> None:  # fmt: skip
        self._call(
            ctxt, "hand_over", operation_id=operation_id, attempt=attempt, stage=stage, next_host=next_host,
            values=values, more=more,
        )  # fmt: skip

    def finish_operation(
        self, ctxt: RequestContext, operation_id: int, attempt: int, power_state: int, values: dict[str, Any]
    ) -> None:
        self._call(
            ctxt, "finish_operation",
            operation_id=operation_id, attempt=attempt, power_state=power_state, values=values,
        )  # fmt: skip

    def fail_operation(
        self, ctxt: RequestContext, operation_id: int, attempt: int, reason: str, details: str, code: int
    ) -> None:
        self._call(
            ctxt, "fail_operation",
            operation_id=operation_id, attempt=attempt, reason=reason, details=details, code=code,
        )  # fmt: skip

    def refuse_build(
        self, ctxt: RequestContext, operation_id: int, attempt: int, reason: str, details: str, retry: bool
    ) -> None:
        self._call(
            ctxt, "refuse_build",
            operation_id=operation_id, attempt=attempt, reason=reason, details=details, retry=retry,
        )  # fmt: skip

    def finish_delete(self, ctxt: RequestContext, operation_id: int, attempt: int) -> None:
        self._call(ctxt, "finish_delete", operation_id=operation_id, attempt=attempt)

    def put_down(self, ctxt: RequestContext, operation_id: int, attempt: int, seconds: float, message: str) -> None:
        self._call(ctxt, "put_down", operation_id=operation_id, attempt=attempt, seconds=seconds, message=message)

    def report_migration(
        self, ctxt: RequestContext, operation_id: int, attempt: int, status: str | None, progress: dict[str, int]
    ) -> str | None:
        return self._call(  # type: ignore[no-any-return]
            ctxt, "report_migration", operation_id=operation_id, attempt=attempt, status=status, progress=progress
        )

    def guest_moved(self, ctxt: RequestContext, instance_uuid: str, generation: int, dest: str, node: str) -> bool:
        return self._call(  # type: ignore[no-any-return]
            ctxt, "guest_moved", instance_uuid=instance_uuid, generation=generation, dest=dest, node=node
        )

    def look_around(self, ctxt: RequestContext, host_name: str) -> None:
        self._call(ctxt, "look_around", host_name=host_name)

    def register_host(
        self, ctxt: RequestContext, service: Service, node: ComputeNode, owner: str, known: HostIdentity | None
    ) -> HostIdentity | None:
        return self._call(ctxt, "register_host", service=service, node=node, owner=owner, known=known)  # type: ignore

    def heartbeat(
        self, ctxt: RequestContext, host_name: str, epoch: str, owner: str, in_flight: list[int]
    ) -> dict[str, Any]:
        return self._call(ctxt, "heartbeat", host_name=host_name, epoch=epoch, owner=owner, in_flight=in_flight)  # type: ignore

    def report_health(self, ctxt: RequestContext, host_name: str, complaint: str | None) -> None:
        self._call(ctxt, "report_health", host_name=host_name, complaint=complaint)

    def report_inventory(self, ctxt: RequestContext, node: ComputeNode) -> None:
        self._call(ctxt, "report_inventory", node=node)

    def host_instances(self, ctxt: RequestContext, host_name: str) -> list[Instance]:
        return self._call(ctxt, "host_instances", host_name=host_name)  # type: ignore

    def judge_guests(self, ctxt: RequestContext, host_name: str, found: list[Presence]) -> dict[str, Any]:
        return self._call(ctxt, "judge_guests", host_name=host_name, found=found)  # type: ignore

    def report_cleaned(self, ctxt: RequestContext, host_name: str, instance_uuids: list[str]) -> None:
        self._call(ctxt, "report_cleaned", host_name=host_name, instance_uuids=instance_uuids)

    def written_at(self, ctxt: RequestContext, instance_uuid: str) -> datetime.datetime | None:
        return self._call(ctxt, "written_at", instance_uuid=instance_uuid)  # type: ignore

    def report_power_state(
        self, ctxt: RequestContext, host_name: str, instance_uuid: str, state: int, written_at: datetime.datetime | None
    ) -> bool:
        return self._call(  # type: ignore[no-any-return]
            ctxt, "report_power_state", host_name=host_name, instance_uuid=instance_uuid, state=state,
            written_at=written_at,
        )  # fmt: skip

    def _call(self, ctxt: RequestContext, method: str, **kwargs: Any) -> Any:
        return self._client.call(ctxt, method, timeout_s=self._timeout_s, **kwargs)
