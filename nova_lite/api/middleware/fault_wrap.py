"""The last net: an error that no application answered becomes a fault, with its traceback in the log."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from nova_lite.api.openstack import faults

App = Callable[[dict[str, Any], Callable[..., Any]], Any]


class FaultWrap:
    def __init__(self, app: App) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        try:
            return self._app(environ, start_response)
        except Exception as error:  # noqa: BLE001 - nothing is behind this net
            status, headers, data = faults.of(error)
            start_response(status, headers, sys.exc_info())
            return [data]


def filter_factory(global_conf: dict[str, str], **local_conf: str) -> Callable[[App], App]:
    return FaultWrap
