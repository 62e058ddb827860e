"""What an operator may do with guests that are set apart, and how long that may take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from nova_lite import exception
from nova_lite.compute import quarantine
from nova_lite.compute.host import ServerLocks


@pytest.mark.timeout(10)
@pytest.mark.parametrize("ask", [
    lambda host: quarantine.release(host, "vm"), lambda host: quarantine.discard(host, mock.Mock(), "vm"),
], ids=["release", "discard"])  # fmt: skip
def test_who_asks_for_a_guest_that_somebody_never_leaves_has_an_answer(
    ask: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "_PATIENCE_S", 0.05)
    host = mock.Mock(locks=ServerLocks())
    with host.locks.hold("vm"), pytest.raises(exception.ServerBusy):
        ask(host)
    assert not host.driver.release.called and not host.driver.discard.called
