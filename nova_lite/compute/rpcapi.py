"""The compute host's wire door: address, version, message.

Version history: 1.0 first.
"""

from __future__ import annotations

from typing import Any

from nova_lite import rpc
from nova_lite.context import RequestContext
from nova_lite.objects import ConsoleAddress, ConsoleType, Diagnostics, ExternalEvent, Instance, Survey

TOPIC = "compute"
VERSION = "1.0"
# How long a host may take for a batch of what it has: the one who asks has many hosts to ask.
_SURVEY_S = 15.0


class ComputeRpcAPI:
    """One method a verb of the compute host's endpoints."""

    def __init__(self) -> None:
        self._client = rpc.get_client(TOPIC, VERSION)

    def run_operation(self, ctxt: RequestContext, host: str, operation_id: int) -> None:
        self._client.cast(ctxt, "run_operation", host=host, operation_id=operation_id)

    def look_around(self, ctxt: RequestContext, host: str) -> None:
        self._client.cast(ctxt, "look_around", host=host)

    def external_events(
        self, ctxt: RequestContext, host: str, servers: list[Instance], events: list[ExternalEvent]
    ) -> None:
        self._client.cast(ctxt, "external_events", host=host, servers=servers, events=events)

    def console_output(self, ctxt: RequestContext, host: str, instance: Instance, limit_bytes: int) -> bytes:
        return self._client.call(  # type: ignore[no-any-return]
            ctxt, "console_output", host=host, instance=instance, limit_bytes=limit_bytes
        )

    def diagnostics(self, ctxt: RequestContext, host: str, instance: Instance) -> Diagnostics:
        return self._client.call(ctxt, "diagnostics", host=host, instance=instance)  # type: ignore[no-any-return]

    def console_address(
        self, ctxt: RequestContext, host: str, instance: Instance, console_type: ConsoleType
    ) -> ConsoleAddress:
        return self._client.call(  # type: ignore[no-any-return]
            ctxt, "console_address", host=host, instance=instance, console_type=console_type
        )

    def survey(self, ctxt: RequestContext, host: str, after: str | None) -> Survey:
        return self._client.call(  # type: ignore[no-any-return]
            ctxt, "survey", host=host, timeout_s=_SURVEY_S, after=after
        )

    def list_quarantine(self, ctxt: RequestContext, host: str) -> list[dict[str, Any]]:
        return self._client.call(ctxt, "list_quarantine", host=host)  # type: ignore[no-any-return]

    def release_quarantine(self, ctxt: RequestContext, host: str, uuid: str) -> None:
        self._client.call(ctxt, "release_quarantine", host=host, uuid=uuid)

    def discard_quarantine(self, ctxt: RequestContext, host: str, uuid: str) -> None:
        self._client.call(ctxt, "discard_quarantine", host=host, uuid=uuid)
