"""Refuses a body over [api] max_request_body_size: by its declared length unread, else as soon as it grows too long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nova_lite import exception
from nova_lite.api import deploy
from nova_lite.api.openstack import faults

App = Callable[[dict[str, Any], Callable[..., Any]], Any]

_TOO_LARGE = "Request is too large.<br /><br />\n\n\n"


class LimitedReader:
    """A body of unknown length that ends in an error once more than ``limit`` bytes were read."""

    def __init__(self, stream: Any, limit: int) -> None:
        self._stream = stream
        self._left = limit

    def read(self, size: int = -1) -> bytes:
        """
        :raises TooLarge: the body is longer than the limit
        """
        wanted = self._left + 1 if size is None or size < 0 else min(size, self._left + 1)
        chunks = []
        while wanted > 0:
            data = self._stream.read(wanted)
            if not data:
                break
            chunks.append(data)
            wanted -= len(data)
            self._left -= len(data)
            if self._left < 0:
                raise exception.TooLarge
            if size is not None and size >= 0:
                break
        return b"".join(chunks)


class SizeLimit:
    def __init__(self, app: App, limit: int) -> None:
        self._app = app
        self._limit = limit

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        length = environ.get("CONTENT_LENGTH")
        if length and length.isdigit():
            if len(length) > 18 or int(length) > self._limit:
                status, headers, data = faults.plain(413, _TOO_LARGE)
                start_response(status, headers)
                return [data]
        elif "wsgi.input" in environ:
            environ["wsgi.input"] = LimitedReader(environ["wsgi.input"], self._limit)
        return self._app(environ, start_response)


def filter_factory(global_conf: dict[str, str], **local_conf: str) -> Callable[[App], App]:
    limit = deploy.configuration().api.max_request_body_size
    return lambda app: SizeLimit(app, limit)
