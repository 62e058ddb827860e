"""What hosts ask of a conductor: again until one answers, and each word in its order."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite import exception
from nova_lite.conductor.api import HostAPI
from nova_lite.context import RequestContext

CTXT = RequestContext()


class _Deaf:
    """The wire to a conductor that hears every word, and answers each when it was said three times."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, int]] = []

    def ping(self, ctxt: RequestContext, timeout_s: float) -> str:
        return "conductor"

    def progress(self, ctxt: RequestContext, number: int, attempt: int, step: str, values: Any, word: int) -> None:
        self.heard.append((step, word))
        if len(self.heard) % 3:
            raise exception.Unavailable("No answer.")


def test_a_word_that_is_said_again_has_the_same_number(monkeypatch: pytest.MonkeyPatch) -> None:
    host, wire = HostAPI(lambda: False, pause_s=0.001), _Deaf()
    monkeypatch.setattr(host, "_rpcapi", wire)
    for step in ("network", "disks"):
        host.progress(CTXT, 1, 1, step, {})
    assert wire.heard == [("network", 1)] * 3 + [("disks", 2)] * 3


def test_who_stops_waits_for_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    host, wire = HostAPI(lambda: True, pause_s=0.001), _Deaf()
    monkeypatch.setattr(host, "_rpcapi", wire)
    with pytest.raises(exception.ServiceStopping):
        host.progress(CTXT, 1, 1, "network", {})
    assert wire.heard == [("network", 1)]
