"""A cloud that has its messages inside one process says so, instead of waiting for an answer that cannot come."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from nova_lite import conf as options
from nova_lite import exception, rpc
from nova_lite.cmd.manage import messages
from nova_lite.conf import CONF
from nova_lite.embedded import files


@pytest.fixture(autouse=True)
def state(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    options.register_all()
    CONF([], project="nova-lite", default_config_files=[], default_config_dirs=[])
    CONF.set_override("directory", str(tmp_path), group="embedded")
    yield tmp_path
    rpc.cleanup()
    CONF.reset()
    CONF.clear_override("directory", group="embedded")
    if "transport_url" in CONF:
        CONF.clear_override("transport_url")


def _url(url: str) -> None:
    rpc.set_default_transport(CONF, "rabbit://")
    CONF.set_override("transport_url", url)


def test_nobody_waits_for_the_hosts_of_an_all_in_one(state: pathlib.Path) -> None:
    _url("rabbit://")
    with files.lock(state / "lock") as held:
        number = files.holder(state / "lock")
        assert number is not None and number.isdigit()
        with pytest.raises(exception.ConfigInvalid, match=rf"nova-lite-all-in-one \(process {number}\).*--no-hosts"):
            messages.open_way(CONF)
        assert not held.closed
    with pytest.raises(exception.BrokerUnavailable, match="not open"):
        rpc.get_client("compute").call(None, "x")  # type: ignore[arg-type]


def test_a_transport_in_memory_leads_nowhere() -> None:
    _url("kombu+memory:///")
    with pytest.raises(exception.ConfigInvalid, match="inside its one process"):
        messages.open_way(CONF)


def test_a_broker_is_a_way_also_beside_an_all_in_one_that_uses_it(state: pathlib.Path) -> None:
    _url("rabbit://user:password@127.0.0.1:1/")
    with files.lock(state / "lock"):
        messages.open_way(CONF)
    assert rpc._transport is not None


def test_a_lock_that_is_left_over_or_missing_is_nobodys(state: pathlib.Path) -> None:
    assert files.holder(state / "lock") is None
    (state / "lock").write_text("4711\n")
    assert files.holder(state / "lock") is None
    _url("rabbit://")
    messages.open_way(CONF)
